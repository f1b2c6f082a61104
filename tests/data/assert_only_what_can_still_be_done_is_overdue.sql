{{ config(meta={'dagster': {'ref': {'name': 'fct_journey_steps'}}}) }}

-- Work for today is of deals that are open, or won and in their onboarding. The work of a deal that ended is over.
select
    steps.journey_step_id,
    steps.status,
    deals.status as deal_status
from {{ ref('fct_journey_steps') }} as steps
inner join {{ ref('dim_deals') }} as deals on steps.deal_id = deals.deal_id
where
    steps._load_id = (select newest_load_id from {{ ref('stg_as_of') }})
    and steps.status in ('overdue', 'not_yet_due')
    and (deals.status = 'lost' or (deals.status = 'won' and steps.phase <> 'onboarding'))
