with source as (
    {{ current_versions(source('hubspot', 'contact')) }}
)

select
    -- ids
    'hubspot:' || contact_id as contact_id,
    'hubspot:' || {{ hubspot_property('associatedcompanyid') }} as account_id,

    -- attributes
    'hubspot' as crm,
    {{ hubspot_property('jobtitle') }} as job_title
from source
