select * from {{ ref('stg_generic__accounts') }}
union all
select * from {{ ref('stg_hubspot__accounts') }}
union all
select * from {{ ref('stg_pipedrive__accounts') }}
union all
select * from {{ ref('stg_salesforce__accounts') }}
