{{ config(materialized='table') }}

-- What norms are learnt from, counted by month and business days: a case is known from the day on which both the deal
-- and the stay or step had ended. Quantiles of counts are cheap at any size, and any span of months can be added up.
with stays as (
    select
        deals.segment,
        'stage' as subject,
        visits.stage_id as subject_id,
        deals.outcome,
        greatest(deals.ended_at, visits.exited_at) as learnt_at,
        visits.business_days_in_stage as business_days
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('int_deals_in_norms') }} as deals on visits.deal_id = deals.deal_id
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    where
        visits.exited_at is not null
        and not visits.is_left_truncated
        -- how long a deal stays lost before it is opened again is no norm
        and not stages.is_lost
),

-- A step is judged by what was known when its deal ended; one that was not due by then says nothing about who does
-- it. A step after the win goes on after that end, and is known when it is done: of these no share can be told.
steps as (
    select
        deals.segment,
        'step' as subject,
        steps.step as subject_id,
        deals.outcome,
        case when steps.phase = 'onboarding' then greatest(deals.ended_at, steps.done_at) else deals.ended_at end
            as learnt_at,
        case
            when steps.phase = 'onboarding' or steps.done_at <= deals.ended_at then steps.business_days_to_done
        end as business_days
    from {{ ref('fct_journey_steps') }} as steps
    inner join {{ ref('int_deals_in_norms') }} as deals on steps.deal_id = deals.deal_id
    where
        steps.not_measurable_reason is null
        and case
            when steps.phase = 'onboarding' then steps.business_days_to_done is not null
            else
                steps.due_at <= deals.ended_at
                or coalesce(steps.done_at, steps.skipped_at) <= deals.ended_at
        end
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
        business_days,
        count(*) as case_count
    from cases
    group by segment, subject, subject_id, outcome, {{ dbt.date_trunc('month', 'learnt_at') }}, business_days
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
    business_days,
    cast(sum(case_count) as bigint) as case_count
from counted
group by subject, subject_id, outcome, learnt_month, business_days
