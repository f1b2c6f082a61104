{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'crm_field_changes'}}}) }}

-- Every change is of a deal that was extracted. Others are left out of the marts, so they must be said.
select
    changes.deal_id,
    count(*) as changes
from {{ ref('crm_field_changes') }} as changes
where not exists (select 1 from {{ ref('crm_deals') }} as deals where changes.deal_id = deals.deal_id)
group by changes.deal_id
