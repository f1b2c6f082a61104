-- Days by which pushes of the expected close date have moved it, so far; pulling it in takes none back.
select
    deal_id,
    changed_at,
    cast(max(days_pushed) as double) as value,
    _load_id
from {{ ref('fct_deal_changes') }}
where direction = 'pushed' and {{ is_newly_built() }}
group by deal_id, changed_at, _load_id
