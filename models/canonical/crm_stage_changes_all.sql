select * from {{ ref('stg_generic__stage_changes') }}
union all
select * from {{ ref('stg_hubspot__stage_changes') }}
union all
select * from {{ ref('stg_pipedrive__stage_changes') }}
union all
select * from {{ ref('stg_salesforce__stage_changes') }}
