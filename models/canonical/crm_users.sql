select * from {{ ref('stg_amocrm__users') }}
union all
select * from {{ ref('stg_bitrix24__users') }}
union all
select * from {{ ref('stg_generic__users') }}
union all
select * from {{ ref('stg_hubspot__users') }}
union all
select * from {{ ref('stg_pipedrive__users') }}
union all
select * from {{ ref('stg_salesforce__users') }}
