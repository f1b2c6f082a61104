select * from {{ ref('stg_amocrm__activities') }}
union all
select * from {{ ref('stg_bitrix24__activities') }}
union all
select * from {{ ref('stg_generic__activities') }}
