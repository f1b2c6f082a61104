with source as (
    {{ current_versions(source('pipedrive', 'organizations')) }}
)

select
    -- ids
    'pipedrive:' || id as account_id,

    -- attributes
    'pipedrive' as crm,
    name as account_name,
    industry,
    address_country as region,
    cast(null as {{ dbt.type_string() }}) as segment,
    website as domain,
    tax_id,

    -- numbers
    employee_count,
    annual_revenue
from source
