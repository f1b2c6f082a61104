-- 1 since a person who decides is on the deal.
select
    deal_id,
    min(added_at) as changed_at,
    cast(1 as double) as value,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from {{ ref('crm_deal_contacts') }}
where is_decision_maker and added_at is not null and {{ is_touched('deal_id') }}
group by deal_id
