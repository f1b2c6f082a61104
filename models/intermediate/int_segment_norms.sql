{{ config(materialized='table') }}

-- Where a segment's ended deals lie, and fences far outside. Money and time are skewed, so they are fenced on a log
-- scale, by quartiles, which a tenth of wild values cannot move, and to each side by its own: the distance of a
-- quartile from the median is read as that of a normal spread. Values are counted in steps of 1% first: quantiles of
-- counts are cheap at any size.
with measured as (
    select
        segment,
        'amount' as measure,
        currency as compared_with,
        ln(case when amount > 0 then amount end) as log_value
    from {{ ref('int_deals_in_norms') }}
    union all
    select
        segment,
        'age' as measure,
        'all' as compared_with,
        ln(1 + days_to_end) as log_value
    from {{ ref('int_deals_in_norms') }}
    union all
    select
        norms.segment,
        'time_in_stage' as measure,
        visits.stage_id as compared_with,
        ln(1 + visits.days_in_stage) as log_value
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('int_deals_in_norms') }} as norms on visits.deal_id = norms.deal_id
    where visits.is_entered_at_exact and visits.exited_at is not null
),

counted as (
    select
        segment,
        measure,
        compared_with,
        round(log_value, 2) as log_step,
        count(*) as case_count
    from measured
    where log_value is not null and compared_with is not null
    group by segment, measure, compared_with, round(log_value, 2)
),

shares as (
    select
        *,
        cast(sum(case_count) over (
            partition by segment, measure, compared_with
            order by log_step
        ) as double) / sum(case_count) over (partition by segment, measure, compared_with) as share_up_to
    from counted
),

quartiles as (
    select
        segment,
        measure,
        compared_with,
        cast(sum(case_count) as bigint) as case_count,
        min(case when share_up_to >= 0.25 then log_step end) as lower_quartile,
        min(case when share_up_to >= 0.5 then log_step end) as median,
        min(case when share_up_to >= 0.75 then log_step end) as upper_quartile
    from shares
    group by segment, measure, compared_with
),

spreads as (
    -- never less than a tenth: where most cases are alike, a small difference is still no oddity
    select
        *,
        greatest((median - lower_quartile) / 0.6745, 0.1) as spread_below,
        greatest((upper_quartile - median) / 0.6745, 0.1) as spread_above
    from quartiles
    where case_count >= {{ var('oddity_min_cases') }}
)

select
    segment,
    measure,
    compared_with,
    case_count,
    exp(median) - case when measure = 'amount' then 0 else 1 end as median_value,
    -- a short time is no oddity
    case when measure = 'amount' then exp(median - {{ var('oddity_spreads') }} * spread_below) end as lower_fence,
    exp(median + {{ var('oddity_spreads') }} * spread_above)
    - case when measure = 'amount' then 0 else 1 end as upper_fence
from spreads
