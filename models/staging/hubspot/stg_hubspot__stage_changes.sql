select
    -- ids
    'hubspot:' || log_rows.deal_id as deal_id,
    'hubspot:' || coalesce(users.owner_id, log_rows.source_id) as changed_by_id,

    -- attributes
    'hubspot' as crm,
    cast(null as {{ dbt.type_string() }}) as from_stage, -- the entry before says it
    log_rows.stage as to_stage,

    -- timestamps, UTC
    log_rows.changed_at,
    log_rows.changed_at as recorded_at
from {{ ref('base_hubspot__stage_log') }} as log_rows
left join {{ ref('base_hubspot__users') }} as users on log_rows.source_id = users.source_id
