with source as (
    {{ current_versions(source('salesforce', 'contact')) }}
)

select
    -- ids
    'salesforce:' || id as contact_id,
    'salesforce:' || account_id as account_id,

    -- attributes
    'salesforce' as crm,
    title as job_title
from source
