-- Counts only, additive over every column of the grain. The newest cohorts have not ended: conversion_ever_entered
-- is too low for them and conversion_resolved_only too high, and both are named for what they are.
with visits as (
    select
        stage_id,
        segment,
        cast({{ dbt.date_trunc('month', 'entered_at') }} as date) as cohort_month,
        exit_type
    from {{ ref('fct_stage_visits') }}
),

counted as (
    select
        stage_id,
        segment,
        cohort_month,
        count(*) as entered,
        sum(case when exit_type = 'advanced' then 1 else 0 end) as advanced,
        sum(case when exit_type = 'lost' then 1 else 0 end) as lost,
        sum(case when exit_type = 'moved_back' then 1 else 0 end) as moved_back,
        sum(case when exit_type = 'handed_off' then 1 else 0 end) as handed_off,
        sum(case when exit_type = 'still_there' then 1 else 0 end) as still_there
    from visits
    group by stage_id, segment, cohort_month
)

select
    stage_id,
    segment,
    cohort_month,
    entered,
    cast(advanced as bigint) as advanced,
    cast(lost as bigint) as lost,
    cast(moved_back as bigint) as moved_back,
    cast(handed_off as bigint) as handed_off,
    cast(still_there as bigint) as still_there,
    cast(advanced as double) / entered as conversion_ever_entered,
    cast(advanced as double) / nullif(entered - still_there, 0) as conversion_resolved_only,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from counted
