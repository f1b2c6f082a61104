-- Steps of the documents phase whose deadline passed before they were done, so far.
with late as (
    select
        deal_id,
        greatest(due_at, known_at) as changed_at,
        _load_id,
        count(*) as steps
    from {{ ref('int_indicator_steps_known') }}
    where
        phase = 'documents'
        and (done_known_at is null or done_known_at > due_at)
        and (passed_known_at is null or passed_known_at > due_at)
        and {{ is_newly_built() }}
    group by deal_id, greatest(due_at, known_at), _load_id
)

select
    deal_id,
    changed_at,
    cast(sum(steps) over (partition by deal_id, _load_id order by changed_at) as double) as value,
    _load_id
from late
