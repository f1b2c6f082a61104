select * from {{ ref('stg_generic__deals') }}
union all
select * from {{ ref('stg_hubspot__deals') }}
union all
select * from {{ ref('stg_pipedrive__deals') }}
union all
select * from {{ ref('stg_salesforce__deals') }}
