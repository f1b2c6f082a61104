{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'crm_field_changes'}}}) }}

-- Every change is of a deal that was extracted. Others are left out of the marts, so they must be said.
select
    changes.deal_id,
    count(*) as changes
from {{ ref('crm_field_changes') }} as changes
left join {{ ref('crm_deals') }} as deals on changes.deal_id = deals.deal_id
where deals.deal_id is null
group by changes.deal_id
