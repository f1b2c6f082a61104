-- Of the key tasks that were done, or should have been by now, the share that was on time by the map's deadline. A
-- task done in time and written down later counts as missed until then.
with steps as (
    select
        *,
        least(coalesce(done_known_at, due_at), due_at) as decided_at
    from {{ ref('int_indicator_steps_known') }}
    where {{ is_newly_built() }}
),

changes as (
    select
        deal_id,
        greatest(decided_at, known_at) as changed_at,
        1 as decided,
        case when done_known_at <= decided_at or done_known_at = known_at then case when done_at <= due_at then 1 else 0 end else 0 end
            as on_time,
        _load_id
    from steps
    union all
    select
        deal_id,
        done_known_at as changed_at,
        0 as decided,
        1 as on_time,
        _load_id
    from steps
    where done_known_at > decided_at and done_known_at > known_at and done_at <= due_at
),

summed as (
    select
        deal_id,
        changed_at,
        _load_id,
        sum(decided) as decided,
        sum(on_time) as on_time
    from changes
    group by deal_id, changed_at, _load_id
)

select
    deal_id,
    changed_at,
    sum(on_time) over tasks_of_deal / cast(sum(decided) over tasks_of_deal as double) as value,
    _load_id
from summed
window tasks_of_deal as (partition by deal_id, _load_id order by changed_at)
