-- Times the expected close date was moved to a later day, so far.
select
    deal_id,
    changed_at,
    cast(max(push_number) as double) as value,
    _load_id
from {{ ref('fct_deal_changes') }}
where direction = 'pushed' and {{ is_newly_built() }}
group by deal_id, changed_at, _load_id
