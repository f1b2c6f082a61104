with crms as (
    select * from {{ ref('stg_amocrm__activities') }}
    union all
    select * from {{ ref('stg_bitrix24__activities') }}
    union all
    select * from {{ ref('stg_generic__activities') }}
    union all
    select * from {{ ref('stg_hubspot__activities') }}
    union all
    select * from {{ ref('stg_pipedrive__activities') }}
    union all
    select * from {{ ref('stg_salesforce__activities') }}
)

{{ known_rows('crms', 'logged_at <= ' ~ as_of()) }}
