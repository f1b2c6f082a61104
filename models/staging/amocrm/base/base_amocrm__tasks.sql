{{ config(materialized='table') }}

-- A task says neither when it was done nor what its first deadline was: its events do. A task whose making is in the log
-- has its whole story there; of an older one the first deadline is known only by a change of it.
with tasks as (
    {{ current_versions(source('amocrm', 'tasks')) }}
),

events as (
    select
        entity_id as task_id,
        type,
        created_at,
        {{ json_text('value_before', '$[0].task_deadline.timestamp') }} as deadline_before
    from (
        {{ current_versions(source('amocrm', 'events')) }}
    ) as current_events
    where entity_type = 'task' and type in ('task_added', 'task_completed', 'task_deadline_changed')
),

logs as (
    select
        task_id,
        max(case when type = 'task_completed' then created_at end) as completed_at,
        bool_or(type = 'task_added') as has_whole_log,
        bool_or(type = 'task_deadline_changed') as is_moved,
        min_by(deadline_before, case when type = 'task_deadline_changed' then created_at end) as first_deadline
    from events
    group by task_id
)

select
    tasks.id as task_id,
    case when tasks.entity_type = 'leads' then tasks.entity_id end as lead_id,
    case when tasks.entity_type = 'contacts' then tasks.entity_id end as contact_id,
    tasks.responsible_user_id,
    tasks.task_type_id,
    coalesce(tasks.is_completed, false) as is_completed,
    tasks.created_at,
    tasks.complete_till as due_at,
    case
        when logs.is_moved
            then {{ dbt.dateadd('second', 'try_cast(logs.first_deadline as bigint)', "cast('1970-01-01' as timestamp)") }}
        when logs.has_whole_log then tasks.complete_till
    end as original_due_at,
    case when tasks.is_completed then logs.completed_at end as completed_at
from tasks
left join logs on tasks.id = logs.task_id
