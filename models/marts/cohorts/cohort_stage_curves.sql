-- Not additive: each row is a state of a curve, which holds until the next row.
select
    step as stage_id,
    segment,
    cohort_month,
    clock,
    cast(age_days as integer) as age_days,
    cast(at_risk as bigint) as at_risk,
    cast(advanced as bigint) as advanced,
    cast(lost as bigint) as lost,
    cast(moved_back as bigint) as moved_back,
    cast(handed_off as bigint) as handed_off,
    survival,
    cumulative_advanced,
    cumulative_lost,
    cumulative_moved_back,
    cumulative_handed_off,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from {{ ref('int_cohort_curves') }}
where process = 'stage'
