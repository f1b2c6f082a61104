-- Every activity of Pipedrive is planned first, so each is a task. Its first deadline is not kept.
select
    -- ids
    activity_id as task_id,
    deal_id,
    owner_id,

    -- attributes
    'pipedrive' as crm,
    activity_type as task_type,

    -- booleans
    is_done as is_completed,

    -- timestamps, UTC
    created_at,
    due_at,
    cast(null as {{ dbt.type_timestamp() }}) as original_due_at,
    done_at as completed_at
from {{ ref('base_pipedrive__activities') }}
