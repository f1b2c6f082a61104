select * from {{ ref('stg_amocrm__deal_contacts') }}
union all
select * from {{ ref('stg_bitrix24__deal_contacts') }}
union all
select * from {{ ref('stg_generic__deal_contacts') }}
