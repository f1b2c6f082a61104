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

counted as (
    select
        segment,
        subject,
        subject_id,
        outcome,
        cast({{ dbt.date_trunc('month', 'learnt_at') }} as date) as learnt_month,
        business_days,
        count(*) as case_count
    from stays
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
