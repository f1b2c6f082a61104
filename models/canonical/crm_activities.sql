select * from {{ ref('stg_generic__activities') }}
union all
select * from {{ ref('stg_hubspot__activities') }}
union all
select * from {{ ref('stg_pipedrive__activities') }}
union all
select * from {{ ref('stg_salesforce__activities') }}
