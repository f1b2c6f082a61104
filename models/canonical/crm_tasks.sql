select * from {{ ref('stg_generic__tasks') }}
union all
select * from {{ ref('stg_hubspot__tasks') }}
union all
select * from {{ ref('stg_pipedrive__tasks') }}
union all
select * from {{ ref('stg_salesforce__tasks') }}
