select * from {{ ref('stg_amocrm__contacts') }}
union all
select * from {{ ref('stg_bitrix24__contacts') }}
union all
select * from {{ ref('stg_generic__contacts') }}
