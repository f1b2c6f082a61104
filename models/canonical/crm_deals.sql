select * from {{ ref('stg_amocrm__deals') }}
union all
select * from {{ ref('stg_bitrix24__deals') }}
union all
select * from {{ ref('stg_generic__deals') }}
