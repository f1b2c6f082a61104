select * from {{ ref('stg_amocrm__field_changes') }}
union all
select * from {{ ref('stg_generic__field_changes') }}
union all
select * from {{ ref('stg_hubspot__field_changes') }}
union all
select * from {{ ref('stg_pipedrive__field_changes') }}
union all
select * from {{ ref('stg_salesforce__field_changes') }}
