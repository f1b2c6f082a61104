-- What comes of the customers won in a month: first use and first revenue, as expected when all have had their time.
-- Only CRMs that tell of revenue at all. Counts are additive over segments and months, not over milestones.
with half_way as (
    select
        step,
        segment,
        cohort_month,
        min(age_days) as median_days
    from {{ ref('int_cohort_curves') }}
    where process = 'customer' and survival <= 0.5
    group by step, segment, cohort_month
)

select
    cohorts.step as milestone,
    cohorts.cut_value as segment,
    cohorts.cohort_month,
    cast(entered as bigint) as won,
    cast(advanced as bigint) as reached,
    cast(still_there as bigint) as waiting,
    cast(advanced as double) / entered as reached_so_far,
    {{ expected_rate() }} as reached_expected,
    {{ expected_rate_low() }} as reached_low,
    {{ expected_rate_high() }} as reached_high,
    {{ is_too_young() }} as is_too_young,
    -- half of all won, not of those that reached it: null until half have
    cast(half_way.median_days as integer) as median_days,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from {{ ref('int_cohorts_expected') }} as cohorts
left join half_way
    on
        cohorts.step = half_way.step
        and cohorts.cut_value = half_way.segment
        and cohorts.cohort_month = half_way.cohort_month
where cohorts.process = 'customer' and cohorts.cut = 'segment'
