-- An account has no time of its own: it is known since the first of its deals.
with crms as (
    select * from {{ ref('stg_amocrm__accounts') }}
    union all
    select * from {{ ref('stg_bitrix24__accounts') }}
    union all
    select * from {{ ref('stg_generic__accounts') }}
    union all
    select * from {{ ref('stg_hubspot__accounts') }}
    union all
    select * from {{ ref('stg_pipedrive__accounts') }}
    union all
    select * from {{ ref('stg_salesforce__accounts') }}
)

{{ known_rows('crms', 'account_id in (select account_id from ' ~ ref('crm_deals') ~ ')') }}
