{{ config(materialized='table') }}

-- Activities of a deal as both what happened and what was planned. A call or a meeting that was written down before it
-- began was planned; what came from the client has happened, done with or not. The first deadline is known of what had
-- not been changed when an extract first showed it.
with versions as (
    select
        *,
        -- the year 9999 stands for no deadline
        case when deadline not like '9999%' then {{ utc_from_text('deadline') }} end as due_at
    from {{ source('bitrix24', 'activities') }}
    where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
),

firsts as (
    select
        id,
        min_by(due_at, _extracted_at) as due_at,
        min_by(last_updated, _extracted_at) as last_updated
    from versions
    group by id
),

activities as (
    {{ current_versions('versions') }}
),

typed as (
    select
        activities.id as activity_id,
        case when activities.owner_type_id = '2' then activities.owner_id end as deal_id,
        case when activities.owner_type_id = '3' then activities.owner_id end as contact_id,
        nullif(activities.responsible_id, '0') as responsible_id,
        activities.associated_entity_id,
        case
            when activities.type_id = '1' then 'meeting'
            when activities.type_id = '2' then 'call'
            when activities.type_id = '3' then 'task'
            when activities.type_id = '4' then 'email'
            when activities.provider_id in ('IMOPENLINES_SESSION', 'CRM_SMS') then 'message'
            else 'to-do'
        end as activity_type,
        case activities.direction when '1' then 'in' when '2' then 'out' end as direction,
        coalesce(activities.completed = 'Y', false) as is_completed,
        coalesce(activities.start_time > activities.created, false) as is_planned,
        activities.created as created_at,
        activities.last_updated as updated_at,
        activities.start_time as starts_at,
        activities.due_at,
        case
            when firsts.last_updated <= {{ dbt.dateadd('minute', 1, 'activities.created') }} then firsts.due_at
        end as original_due_at
    from activities
    inner join firsts on activities.id = firsts.id
)

select
    *,
    activity_type in ('meeting', 'call', 'email', 'message')
    and (is_completed or coalesce(direction = 'in', false) or activity_type in ('email', 'message')) as is_held,
    activity_type in ('task', 'to-do') or (activity_type in ('meeting', 'call') and is_planned) as is_task
from typed
