-- Tasks that are to be done, and calls and mails that were logged as tasks, told apart by their subtype, or else their
-- type. A task is about an opportunity or about anything else, which its id shows: an id of Salesforce's own form
-- begins with 006 if it is an opportunity's.
with source as (
    {{ current_versions(source('salesforce', 'task')) }}
)

select
    -- ids
    'salesforce:' || id as task_id,
    'salesforce:' || case when length(what_id) not in (15, 18) or what_id like '006%' then what_id end as deal_id,
    'salesforce:' || owner_id as owner_id,
    'salesforce:' || who_id as contact_id,

    -- attributes
    coalesce(type, task_subtype, 'Task') as task_type,
    case
        when task_subtype = 'Call' or lower(type) like '%call%' then 'call'
        when task_subtype in ('Email', 'ListEmail') or lower(type) like '%email%' then 'email'
        when lower(type) like '%meeting%' then 'meeting'
    end as activity_type,

    -- booleans
    coalesce(is_closed, status = 'Completed') as is_completed,
    coalesce(task_subtype in ('Call', 'Email', 'ListEmail'), false) as is_log,

    -- timestamps, UTC
    created_date as created_at,
    -- due by the end of its day
    case
        when activity_date = {{ dbt.date_trunc('day', 'activity_date') }}
            then {{ dbt.dateadd('second', -1, dbt.dateadd('day', 1, 'activity_date')) }}
        else activity_date
    end as due_at,
    case when coalesce(is_closed, status = 'Completed') then completed_date_time end as completed_at
from source
where not coalesce(is_deleted, false)
