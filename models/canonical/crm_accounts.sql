select * from {{ ref('stg_amocrm__accounts') }}
union all
select * from {{ ref('stg_bitrix24__accounts') }}
union all
select * from {{ ref('stg_generic__accounts') }}
