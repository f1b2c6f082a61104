with source as (
    {{ current_versions(source('hubspot', 'company')) }}
)

select
    -- ids
    'hubspot:' || company_id as account_id,

    -- attributes
    'hubspot' as crm,
    {{ hubspot_property('name') }} as account_name,
    {{ hubspot_property('industry') }} as industry,
    {{ hubspot_property('country') }} as region,
    cast(null as {{ dbt.type_string() }}) as segment,
    coalesce({{ hubspot_property('domain') }}, {{ hubspot_property('website') }}) as domain,
    {{ hubspot_property('tax_id') }} as tax_id,

    -- numbers
    {{ hubspot_property('numberofemployees', 'bigint') }} as employee_count,
    {{ hubspot_property('annualrevenue', 'decimal(18, 2)') }} as annual_revenue
from source
