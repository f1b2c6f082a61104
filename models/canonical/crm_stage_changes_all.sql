select * from {{ ref('stg_amocrm__stage_changes') }}
union all
select * from {{ ref('stg_bitrix24__stage_changes') }}
union all
select * from {{ ref('stg_generic__stage_changes') }}
union all
select * from {{ ref('stg_hubspot__stage_changes') }}
union all
select * from {{ ref('stg_pipedrive__stage_changes') }}
union all
select * from {{ ref('stg_salesforce__stage_changes') }}
