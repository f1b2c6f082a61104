{{ config(meta={'dagster': {'ref': {'name': 'deals_needing_attention'}}}) }}

-- An open deal whose client is silent beyond the norm, or that is likely to be lost soon, waits for an act, whatever its
-- CRM knows of steps.
select
    risks.deal_id,
    risks.p_lost_30d,
    heard.silence_days
from {{ ref('deal_risk') }} as risks
inner join {{ ref('dim_deals') }} as deals on risks.deal_id = deals.deal_id
inner join {{ ref('int_deals_heard') }} as heard on deals._deal_number = heard.deal_number
left join {{ ref('deals_needing_attention') }} as listed on risks.deal_id = listed.deal_id
where
    listed.deal_id is null
    and (risks.p_lost_30d >= {{ var('attention_lost_from') }} or heard.silence_days > heard.silence_norm_days)
