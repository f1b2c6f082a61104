-- What the nightly extracts saw of each opportunity.
select
    -- ids
    deal_id,
    account_id,
    owner_id,

    -- attributes
    'salesforce' as crm,
    pipeline,
    stage,
    status,
    channel,
    cast(null as {{ dbt.type_string() }}) as product,
    loss_reason,
    competitor,

    -- numbers
    amount,
    cast(null as double) as margin_rate,

    -- booleans
    is_deleted,

    -- timestamps, UTC
    expected_close_date,
    closed_at,
    _extracted_at
from {{ ref('base_salesforce__deals') }}
where _superseded_at is null or _superseded_at > _extracted_at
