{{ config(materialized='table') }}

-- Stays in a stage, counted by what could have turned bad in them and how late it was, how they ended, and how their deal
-- did: all that is learnt of losses is sums over these counts. A stay in which the proposal or legal were late is told
-- apart: what else was late in it may be late because of that.
{% set named = var('indicator_steps') %}
{% set settled = dbt.dateadd('month', -3, '(select as_of from ' ~ ref('stg_as_of') ~ ')') %}
with heard as (
    select
        deal_number,
        max(occurred_at) as last_heard_at
    from {{ ref('int_indicator_contacts') }}
    where is_two_way
    group by deal_number
),

late as (
    select
        _deal_number as deal_number,
        min(due_at) as late_from_at
    from {{ ref('fct_journey_steps') }}
    where
        step in ('{{ named["proposal"] }}', '{{ named["legal"] }}')
        and (done_at is null or done_at > due_at)
    group by _deal_number
),

deals as (
    select
        deals._deal_number as deal_number,
        deals.segment,
        -- null while the deal is open
        case when facts.won_at is not null then true when facts.lost_at is not null then false end as is_won,
        -- where a CRM gives no activities nobody knows
        case when tells_contacts.crm is not null then coalesce(heard.last_heard_at, deals.created_at) end as last_heard_at,
        deciders.changed_at as decider_at,
        tells_deciders.crm is not null as is_decider_told
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    left join heard on deals._deal_number = heard.deal_number
    left join {{ ref('ind_decision_maker_involved') }} as deciders on deals.deal_id = deciders.deal_id
    left join {{ ref('int_capabilities_found') }} as tells_contacts
        on deals.crm = tells_contacts.crm and tells_contacts.capability = 'activity'
    left join {{ ref('int_capabilities_found') }} as tells_deciders
        on deals.crm = tells_deciders.crm and tells_deciders.capability = 'decision_maker'
    where deals.segment <> 'atypical'
),

stays as (
    select
        deals.deal_number,
        visits.stage_id,
        deals.segment,
        visits.exit_type,
        deals.is_won,
        visits.entered_at,
        visits.exited_at as lasted_until_at,
        deals.last_heard_at,
        deals.decider_at,
        deals.is_decider_told,
        coalesce(late.late_from_at < visits.exited_at, false) as is_named_late
    from {{ ref('fct_stage_visits') }} as visits
    cross join {{ ref('stg_as_of') }} as as_of
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    inner join deals on visits._deal_number = deals.deal_number
    left join late on visits._deal_number = late.deal_number
    where
        not stages.is_won and not stages.is_lost and coalesce(stages.phase, '') <> 'onboarding'
        and not visits.is_after_closing
        and not visits.is_left_truncated
        and visits.exited_at >= {{ dbt.dateadd('month', -1 * var('norm_months'), 'as_of.as_of') }}
        and visits.exited_at <= as_of.as_of
)

select
    stage_id,
    segment,
    {{ cause_of('thing') }} as cause,
    thing,
    exit_type,
    is_won,
    is_named_late,
    due_at < {{ settled }} as is_settled,
    delays_lasted,
    delays_late,
    count(*) as stays
from ({{ exposures_of('stays', ['stage_id', 'segment', 'exit_type', 'is_won', 'is_named_late'], is_learnt=true) }}) as exposures
where delays_lasted > 0
group by
    stage_id, segment, thing, exit_type, is_won, is_named_late, due_at < {{ settled }}, delays_lasted, delays_late
