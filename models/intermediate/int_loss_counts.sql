{{ config(materialized='table') }}

-- Stays in a stage, counted by what could have turned bad in them and how late it was, how they ended, and how their deal
-- did: all that is learnt of losses is sums over these counts. A stay in which the proposal or legal were late is told
-- apart: what else was late in it may be late because of that. A stay is settled when it began so long ago that nine in ten
-- deals have ended by then: of younger ones only the quick have. Of a very large company, a sample of its deals.
{% set named = var('indicator_steps') %}
with late as (
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
        coalesce(facts.won_at, facts.lost_at) as ended_at,
        heard.last_heard_at,
        heard.decider_at,
        heard.is_decider_told
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    inner join {{ ref('int_deals_heard') }} as heard on deals._deal_number = heard.deal_number
    where
        deals.segment <> 'atypical'
        and {{ ledger_bucket('deals.deal_id') }} <= {{ ledger_buckets(at_most=250000) }}
),

stays as (
    select
        deals.deal_number,
        visits.stage_id,
        deals.segment,
        visits.exit_type,
        deals.is_won,
        deals.ended_at,
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
),

ended as (
    select
        stage_id,
        {{ dbt.datediff('entered_at', 'ended_at', 'day') }} as days_to_end,
        count(*) as stays
    from stays
    where ended_at is not null
    group by stage_id, {{ dbt.datediff('entered_at', 'ended_at', 'day') }}
),

settled as (
    select
        stage_id,
        min(case when as_short >= 0.9 * all_stays then days_to_end end) as days_to_end
    from (
        select
            stage_id,
            days_to_end,
            sum(stays) over (partition by stage_id order by days_to_end) as as_short,
            sum(stays) over (partition by stage_id) as all_stays
        from ended
    ) as shares
    group by stage_id
),

judged as (
    select
        stays.*,
        coalesce(
            {{ dbt.datediff('stays.entered_at', 'as_of.as_of', 'day') }} > settled.days_to_end, false
        ) as is_settled
    from stays
    cross join {{ ref('stg_as_of') }} as as_of
    left join settled on stays.stage_id = settled.stage_id
)

{% set columns = ['stage_id', 'segment', 'exit_type', 'is_won', 'is_named_late', 'is_settled'] %}
select
    stage_id,
    segment,
    {{ cause_of('thing') }} as cause,
    thing,
    exit_type,
    is_won,
    is_named_late,
    is_settled,
    delays_lasted,
    delays_late,
    delays_heard,
    count(*) as stays
from ({{ exposures_of('judged', columns, is_learnt=true) }}) as exposures
where delays_lasted > 0
group by
    stage_id, segment, thing, exit_type, is_won, is_named_late, is_settled, delays_lasted, delays_late, delays_heard
