-- cohort_stage_conversion over all segments, and by channel, team and product: the same stays, cut otherwise. Counts are
-- additive within one rolled_up_by; rates are not.
select
    step as stage_id,
    cut as rolled_up_by,
    cut_value as rolled_up_value,
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
where process = 'stage' and cut <> 'segment'
