select
    -- ids
    deal_id,

    -- attributes
    'salesforce' as crm,

    -- booleans
    is_decision_maker,

    -- timestamps, UTC
    _extracted_at
from {{ ref('base_salesforce__deal_contact_versions') }}
where _superseded_at is null or _superseded_at > _extracted_at
