with crms as (
    select * from {{ ref('stg_amocrm__contacts') }}
    union all
    select * from {{ ref('stg_bitrix24__contacts') }}
    union all
    select * from {{ ref('stg_generic__contacts') }}
    union all
    select * from {{ ref('stg_hubspot__contacts') }}
    union all
    select * from {{ ref('stg_pipedrive__contacts') }}
    union all
    select * from {{ ref('stg_salesforce__contacts') }}
)

{{ known_rows('crms', 'contact_id in (select contact_id from ' ~ ref('crm_deal_contacts') ~ ')') }}
