select * from {{ ref('stg_amocrm__tasks') }}
union all
select * from {{ ref('stg_bitrix24__tasks') }}
union all
select * from {{ ref('stg_generic__tasks') }}
