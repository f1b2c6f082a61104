-- Counts are additive over every column of the grain, rates are not. While stays are open, conversion_ever_entered is
-- too low and conversion_resolved_only too high, and both are named for what they are: conversion_expected is to be read.
select
    step as stage_id,
    cut_value as segment,
    cohort_month,
    cast(entered as bigint) as entered,
    cast(advanced as bigint) as advanced,
    cast(lost as bigint) as lost,
    cast(moved_back as bigint) as moved_back,
    cast(handed_off as bigint) as handed_off,
    cast(still_there as bigint) as still_there,
    cast(history_cut as bigint) as history_cut,
    cast(advanced as double) / entered as conversion_ever_entered,
    cast(advanced as double) / nullif(entered - still_there, 0) as conversion_resolved_only,
    {{ expected_rate() }} as conversion_expected,
    {{ expected_rate_low() }} as conversion_low,
    {{ expected_rate_high() }} as conversion_high,
    {{ is_too_young() }} as is_too_young,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from {{ ref('int_cohorts_expected') }}
where process = 'stage' and cut = 'segment'
