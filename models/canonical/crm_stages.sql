select * from {{ ref('stg_amocrm__stages') }}
union all
select * from {{ ref('stg_bitrix24__stages') }}
union all
select * from {{ ref('stg_generic__stages') }}
union all
select * from {{ ref('stg_hubspot__stages') }}
union all
select * from {{ ref('stg_pipedrive__stages') }}
union all
select * from {{ ref('stg_salesforce__stages') }}
