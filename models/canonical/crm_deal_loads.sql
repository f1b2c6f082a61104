select * from {{ ref('stg_amocrm__deal_loads') }}
union all
select * from {{ ref('stg_bitrix24__deal_loads') }}
union all
select * from {{ ref('stg_generic__deal_loads') }}
union all
select * from {{ ref('stg_hubspot__deal_loads') }}
union all
select * from {{ ref('stg_pipedrive__deal_loads') }}
union all
select * from {{ ref('stg_salesforce__deal_loads') }}
