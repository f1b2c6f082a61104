-- Calls, mails and meetings: tasks that were done, and calendar entries that have begun.
with events as (
    {{ current_versions(source('salesforce', 'event')) }}
),

meetings as (
    select
        *,
        coalesce(start_date_time, activity_date) as began_at
    from events
    where not coalesce(is_deleted, false)
)

select
    -- ids
    task_id as activity_id,
    deal_id,
    owner_id,
    contact_id,

    -- attributes
    'salesforce' as crm,
    activity_type,
    cast(null as {{ dbt.type_string() }}) as direction, -- not among the standard fields
    cast(null as {{ dbt.type_string() }}) as outcome,

    -- timestamps, UTC
    coalesce(completed_at, least(due_at, created_at), created_at) as occurred_at,
    coalesce(completed_at, created_at) as logged_at
from {{ ref('base_salesforce__tasks') }}
where is_completed and activity_type is not null
union all
select
    'salesforce:' || id as activity_id,
    'salesforce:' || case when length(what_id) not in (15, 18) or what_id like '006%' then what_id end as deal_id,
    'salesforce:' || owner_id as owner_id,
    'salesforce:' || who_id as contact_id,
    'salesforce' as crm,
    'meeting' as activity_type,
    cast(null as {{ dbt.type_string() }}) as direction,
    cast(null as {{ dbt.type_string() }}) as outcome,
    began_at as occurred_at,
    coalesce(created_date, began_at) as logged_at
from meetings
where began_at <= (select as_of from {{ ref('stg_as_of') }})
