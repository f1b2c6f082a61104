{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- An accumulating snapshot: one time per milestone, the first time it was reached; won_at and lost_at are
-- those of the outcome in force, so a deal that was reopened after a loss has none until it ends again.
with deals as (
    select * from {{ ref('dim_deals') }}
    where {{ is_newly_built() }}
),

milestones as (
    select
        visits._deal_number,
        min(case when stages.phase = 'presale' then visits.entered_at end) as reached_presale_at,
        min(case when stages.phase = 'sale' then visits.entered_at end) as reached_sale_at,
        min(case when stages.phase = 'documents' then visits.entered_at end) as reached_documents_at,
        min(case when stages.phase = 'onboarding' then visits.entered_at end) as reached_onboarding_at,
        max(case when stages.is_won then visits.entered_at end) as last_won_at,
        max(case when stages.is_lost then visits.entered_at end) as last_lost_at,
        count(*) as stage_visit_count,
        sum(case when visits.exit_type = 'moved_back' and not (stages.is_won or stages.is_lost) then 1 else 0 end) as moved_back_count,
        sum(
            case when (stages.is_won or stages.is_lost) and visits.exit_type = 'moved_back' then 1 else 0 end
        ) as reopened_count
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    where {{ is_newly_built('visits._load_id') }}
    group by visits._deal_number
)

select
    deals.deal_id,
    deals.account_id,
    deals.owner_id,
    deals.status,
    deals.currency,
    deals.amount,
    cast(revenue.paid_amount as decimal(18, 2)) as paid_amount,
    coalesce(milestones.stage_visit_count, 0) as stage_visit_count,
    cast(coalesce(milestones.moved_back_count, 0) as bigint) as moved_back_count,
    cast(coalesce(milestones.reopened_count, 0) as bigint) as reopened_count,
    coalesce(activities.activity_count, 0) as activity_count,
    cast(coalesce(activities.inbound_activity_count, 0) as bigint) as inbound_activity_count,
    cast(coalesce(activities.meeting_count, 0) as bigint) as meeting_count,
    case when deals.status = 'won' then {{ dbt.datediff('deals.created_at', 'milestones.last_won_at', 'day') }} end
        as days_to_win,
    case when deals.status = 'lost' then {{ dbt.datediff('deals.created_at', 'milestones.last_lost_at', 'day') }} end
        as days_to_loss,
    deals.created_at,
    activities.first_activity_at,
    activities.last_activity_at,
    activities.last_client_contact_at,
    milestones.reached_presale_at,
    milestones.reached_sale_at,
    milestones.reached_documents_at,
    milestones.reached_onboarding_at,
    case when deals.status = 'won' then milestones.last_won_at end as won_at,
    case when deals.status = 'lost' then milestones.last_lost_at end as lost_at,
    revenue.first_use_at,
    revenue.first_invoice_at,
    revenue.first_payment_at,
    deals._deal_number,
    deals._load_id
from deals
left join milestones on deals._deal_number = milestones._deal_number
left join {{ ref('int_deals_activity_counted') }} as activities on deals.deal_id = activities.deal_id
left join {{ ref('int_deals_revenue_summed') }} as revenue on deals.deal_id = revenue.deal_id
