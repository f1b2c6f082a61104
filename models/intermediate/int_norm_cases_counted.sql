{{ config(materialized='table') }}

-- What norms are learnt from, counted by month and business days: quantiles of counts are cheap at any size, and any
-- span of months can be added up. A case belongs to the first win or loss after it and is known from then on, whatever
-- comes later: a deal that is opened again ends once more. A case without days was not done.
with endings as (
    select
        visits._deal_number,
        deals.segment,
        case when stages.is_won then 'won' else 'lost' end as outcome,
        visits.entered_at as ended_at,
        lag(visits.entered_at) over endings_of_deal as previous_ended_at,
        lead(visits.entered_at) over endings_of_deal as next_ended_at,
        case when reviewed.norms_verdict = 'exclude_from_norms' then reviewed.norms_decided_on end as excluded_from
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    inner join {{ ref('dim_deals') }} as deals on visits._deal_number = deals._deal_number
    left join {{ ref('int_deals_reviewed') }} as reviewed on deals.deal_id = reviewed.deal_id
    where
        (stages.is_won or stages.is_lost)
        and deals.segment <> 'atypical'
    window endings_of_deal as (partition by visits._deal_number order by visits.visit_number)
),

-- how long a deal stays won or lost before it is opened again is no norm
stays as (
    select
        endings.segment,
        endings.excluded_from,
        'stage' as subject,
        visits.stage_id as subject_id,
        endings.outcome,
        greatest(endings.ended_at, visits.exited_at) as learnt_at,
        visits.business_days_in_stage as business_days
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    inner join endings
        on
            visits._deal_number = endings._deal_number
            and visits.exited_at > coalesce(
                endings.previous_ended_at, cast('0001-01-01' as {{ dbt.type_timestamp() }})
            )
            and visits.exited_at <= case
                -- after the last win the journey goes on
                when endings.outcome = 'won' and endings.next_ended_at is null
                    then cast('9999-12-31' as {{ dbt.type_timestamp() }})
                else endings.ended_at
            end
    where
        not visits.is_left_truncated
        and not stages.is_lost
        and not (stages.is_won and visits.exit_type <> 'advanced')
),

-- A step is judged where its deal was still open when it was due, won and lost deals alike: among deals that ended
-- before, only the quick ones would count. A step after the win is known when it is done: of these no share is told.
steps as (
    select
        endings.segment,
        endings.excluded_from,
        'step' as subject,
        steps.step as subject_id,
        endings.outcome,
        case when steps.phase = 'onboarding' then steps.done_at else endings.ended_at end as learnt_at,
        case
            when steps.phase = 'onboarding' or steps.done_at <= endings.ended_at then steps.business_days_to_done
        end as business_days
    from {{ ref('fct_journey_steps') }} as steps
    inner join endings
        on
            steps._deal_number = endings._deal_number
            and case
                when steps.phase = 'onboarding'
                    then
                        endings.outcome = 'won'
                        and endings.next_ended_at is null
                        and steps.business_days_to_done is not null
                else
                    steps.triggered_at < endings.ended_at
                    and steps.triggered_at >= coalesce(endings.previous_ended_at, steps.triggered_at)
                    and steps.due_at < endings.ended_at
            end
    where steps.not_measurable_reason is null
),

cases as (
    select * from stays
    union all
    select * from steps
),

counted as (
    select
        segment,
        subject,
        subject_id,
        outcome,
        cast({{ dbt.date_trunc('month', 'learnt_at') }} as date) as learnt_month,
        excluded_from,
        business_days,
        count(*) as case_count
    from cases
    group by
        segment, subject, subject_id, outcome, {{ dbt.date_trunc('month', 'learnt_at') }}, excluded_from, business_days
)

select *
from counted
union all
select
    '(all)' as segment,
    subject,
    subject_id,
    outcome,
    learnt_month,
    excluded_from,
    business_days,
    cast(sum(case_count) as bigint) as case_count
from counted
group by subject, subject_id, outcome, learnt_month, excluded_from, business_days
