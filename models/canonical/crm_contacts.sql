with crms as (
    select * from {{ ref('stg_generic__contacts') }}
)

{{ known_rows('crms', 'contact_id in (select contact_id from ' ~ ref('crm_deal_contacts') ~ ')') }}
