-- A task is a plan from its creation until it is done or its first deadline passes. A deadline that was moved counts by
-- the first one: when it was moved, no CRM tells.
with tasks as (
    select
        deal_id,
        created_at,
        least(coalesce(completed_at, original_due_at), original_due_at) as ends_at
    from {{ ref('crm_tasks') }}
    where deal_id is not null and {{ is_touched('deal_id') }}
),

changes as (
    select
        deal_id,
        created_at as changed_at,
        1 as change
    from tasks
    where ends_at > created_at
    union all
    select
        deal_id,
        ends_at as changed_at,
        -1 as change
    from tasks
    where ends_at > created_at
),

summed as (
    select
        deal_id,
        changed_at,
        sum(change) as change
    from changes
    group by deal_id, changed_at
    having sum(change) <> 0
)

select
    deal_id,
    changed_at,
    cast(case when sum(change) over (partition by deal_id order by changed_at) > 0 then 1 else 0 end as double) as value,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from summed
