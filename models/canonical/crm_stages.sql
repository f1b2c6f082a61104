select * from {{ ref('stg_amocrm__stages') }}
union all
select * from {{ ref('stg_bitrix24__stages') }}
union all
select * from {{ ref('stg_generic__stages') }}
