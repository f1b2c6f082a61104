with source as (
    {{ current_versions(ref('base_pipedrive__deals')) }}
)

select
    -- ids
    deal_id,
    account_id,
    owner_id,

    -- attributes
    'pipedrive' as crm,
    deal_name,
    pipeline,
    stage,
    status,
    currency,
    channel,
    cast(null as {{ dbt.type_string() }}) as product,
    loss_reason,
    cast(null as {{ dbt.type_string() }}) as competitor,

    -- numbers
    amount,
    cast(null as double) as margin_rate,

    -- booleans
    is_deleted,

    -- timestamps, UTC
    created_at,
    expected_close_date,
    closed_at,
    updated_at,
    _extracted_at
from source
