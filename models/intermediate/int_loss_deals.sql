{{ config(materialized='table') }}

-- The deals of which it is asked why: those that were lost, and those that are dead though their CRM calls them open,
-- because the client has not been heard for longer than all but few won deals ever had it. Each with the stay it was lost
-- in, or is in, and how long the silence was by then. Whether that is silence is not known before there is a norm.
with deals as (
    select
        deals.*,
        facts.lost_at,
        heard.until_at,
        heard.last_heard_at,
        heard.decider_at,
        heard.is_decider_told,
        heard.silence_days,
        heard.silence_norm_days
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    inner join {{ ref('int_deals_heard') }} as heard on deals._deal_number = heard.deal_number
    where
        facts.lost_at is not null
        or (deals.status = 'open' and heard.silence_days > heard.silence_longest_days)
),

-- the stay that ended in the loss; of an open deal, the one it is in
stays as (
    select
        visits._deal_number,
        max_by(visits.stage_id, visits.visit_number) as stage_id,
        max_by(visits.entered_at, visits.visit_number) as entered_at
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    where
        not stages.is_won and not stages.is_lost and coalesce(stages.phase, '') <> 'onboarding'
        and visits._deal_number in (select _deal_number from deals)
    group by visits._deal_number
)

select
    deals._deal_number as deal_number,
    deals.deal_id,
    deals.crm,
    deals.pipeline,
    deals.segment,
    deals.channel,
    deals.team,
    deals.owner_id,
    deals.amount,
    deals.currency,
    deals.competitor,
    deals.loss_reason,
    deals.lost_at is null as is_silent_death,
    deals.silence_days,
    deals.silence_norm_days,
    deals.silence_days > deals.silence_norm_days as is_silent,
    -- the day on which it could be seen
    case
        when deals.silence_days > deals.silence_norm_days
            then {{ dbt.dateadd('day', 'deals.silence_norm_days', 'deals.last_heard_at') }}
    end as silent_from_at,
    stays.stage_id,
    stays.entered_at,
    deals.last_heard_at,
    deals.decider_at,
    deals.is_decider_told,
    deals.lost_at,
    deals.until_at
from deals
left join stays on deals._deal_number = stays._deal_number
