-- What is to be done. A call or mail that is logged when it is over was no task. The first deadline is not kept.
select
    -- ids
    task_id,
    deal_id,
    owner_id,

    -- attributes
    'salesforce' as crm,
    task_type,

    -- booleans
    is_completed,

    -- timestamps, UTC
    created_at,
    due_at,
    cast(null as {{ dbt.type_timestamp() }}) as original_due_at,
    completed_at
from {{ ref('base_salesforce__tasks') }}
where not is_log
