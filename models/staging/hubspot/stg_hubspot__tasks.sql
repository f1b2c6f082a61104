-- Tasks, once for each deal they are of. Until a task is done, HubSpot keeps its due date in the field of completion:
-- only the status says whether it was. Without a status nobody knows. The first deadline is not kept.
with tasks as (
    select
        engagement_id,
        {{ hubspot_property('hubspot_owner_id') }} as owner_id,
        coalesce({{ hubspot_property('hs_task_type') }}, 'TODO') as task_type,
        {{ hubspot_property('hs_task_status') }} = 'COMPLETED' as is_completed,
        {{ hubspot_property('hs_task_completion_date', 'timestamp') }} as completion_date,
        {{ hubspot_property('hs_timestamp', 'timestamp') }} as due_at,
        {{ hubspot_property('hs_createdate', 'timestamp') }} as created_at
    from ({{ current_versions(source('hubspot', 'engagement_task')) }}) as current_tasks
    where not coalesce(is_deleted, false)
),

deals as (
    select distinct
        engagement_id,
        deal_id
    from ({{ current_versions(ref('base_hubspot__engagement_deals')) }}) as engagement_deals
)

select
    -- ids
    'hubspot:' || tasks.engagement_id as task_id,
    'hubspot:' || deals.deal_id as deal_id,
    'hubspot:' || tasks.owner_id as owner_id,

    -- attributes
    'hubspot' as crm,
    tasks.task_type,

    -- booleans
    tasks.is_completed,

    -- timestamps, UTC
    tasks.created_at,
    tasks.due_at,
    cast(null as {{ dbt.type_timestamp() }}) as original_due_at,
    case when tasks.is_completed then tasks.completion_date end as completed_at
from tasks
left join deals on tasks.engagement_id = deals.engagement_id
