-- Times the deal was handed to another owner, so far.
with handovers as (
    select
        deal_id,
        changed_at,
        _load_id,
        count(*) as handovers
    from {{ ref('fct_deal_changes') }}
    where field = 'owner_id' and direction = 'handed_over' and {{ is_newly_built() }}
    group by deal_id, changed_at, _load_id
)

select
    deal_id,
    changed_at,
    cast(sum(handovers) over (partition by deal_id, _load_id order by changed_at) as double) as value,
    _load_id
from handovers
