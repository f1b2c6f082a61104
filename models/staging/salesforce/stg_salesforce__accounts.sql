with source as (
    {{ current_versions(source('salesforce', 'account')) }}
)

select
    -- ids
    'salesforce:' || id as account_id,

    -- attributes
    'salesforce' as crm,
    name as account_name,
    industry,
    billing_country as region,
    cast(null as {{ dbt.type_string() }}) as segment,
    website as domain,
    tax_id,

    -- numbers
    number_of_employees as employee_count,
    annual_revenue
from source
