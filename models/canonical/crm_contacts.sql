select * from {{ ref('stg_generic__contacts') }}
union all
select * from {{ ref('stg_hubspot__contacts') }}
union all
select * from {{ ref('stg_pipedrive__contacts') }}
union all
select * from {{ ref('stg_salesforce__contacts') }}
