-- A person may be associated with a deal in several ways: that is one part.
with source as (
    {{ current_versions(ref('base_hubspot__deal_contact_versions')) }}
)

select distinct
    -- ids
    deal_id,
    contact_id,

    -- attributes
    'hubspot' as crm,
    role,

    -- booleans
    is_decision_maker,

    -- timestamps, UTC
    cast(null as {{ dbt.type_timestamp() }}) as added_at -- HubSpot does not say
from source
