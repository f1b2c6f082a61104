with source as (
    {{ current_versions(source('pipedrive', 'persons')) }}
)

select
    -- ids
    'pipedrive:' || id as contact_id,
    'pipedrive:' || {{ pipedrive_id('org_id') }} as account_id,

    -- attributes
    'pipedrive' as crm,
    job_title
from source
