with crms as (
    select * from {{ ref('stg_amocrm__deal_contacts') }}
    union all
    select * from {{ ref('stg_bitrix24__deal_contacts') }}
    union all
    select * from {{ ref('stg_generic__deal_contacts') }}
    union all
    select * from {{ ref('stg_hubspot__deal_contacts') }}
    union all
    select * from {{ ref('stg_pipedrive__deal_contacts') }}
    union all
    select * from {{ ref('stg_salesforce__deal_contacts') }}
)

{{ known_rows('crms', 'added_at <= ' ~ as_of()) }}
