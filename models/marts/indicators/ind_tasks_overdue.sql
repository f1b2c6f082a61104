-- One more when a deadline passes, one less when the task is done or the deal goes on without it. Deadlines ahead are
-- known already, so a deal that nobody touches turns overdue by itself.
with steps as (
    select
        *,
        greatest(due_at, known_at) as overdue_at,
        least(coalesce(done_known_at, passed_known_at), coalesce(passed_known_at, done_known_at)) as settled_at
    from {{ ref('int_indicator_steps_known') }}
    where phase <> 'onboarding' and {{ is_newly_built() }}
),

changes as (
    select
        deal_id,
        overdue_at as changed_at,
        1 as change,
        _load_id
    from steps
    where settled_at is null or settled_at > overdue_at
    union all
    select
        deal_id,
        settled_at as changed_at,
        -1 as change,
        _load_id
    from steps
    where settled_at > overdue_at
),

summed as (
    select
        deal_id,
        changed_at,
        _load_id,
        sum(change) as change
    from changes
    group by deal_id, changed_at, _load_id
    having sum(change) <> 0
)

select
    deal_id,
    changed_at,
    cast(sum(change) over (partition by deal_id, _load_id order by changed_at) as double) as value,
    _load_id
from summed
