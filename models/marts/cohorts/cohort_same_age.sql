-- A cohort at an age against the cohorts of the twelve months before it at the same age, and whether the difference
-- is one of rates or of who came. Segment mix, channel mix within segments and rate add up to the difference exactly
-- (Kitagawa 1955, nested: each part is weighed with the mean of the two sides). A group that one side lacks has the
-- other side's rate: it can differ in its share only. Not additive.
with pairs as (
    select
        young.stage_id,
        young.cohort_month,
        young.age_days,
        cells.segment,
        cells.channel,
        sum(case when cells.cohort_month = young.cohort_month then cells.entered else 0 end) as n1,
        sum(case when cells.cohort_month < young.cohort_month then cells.entered else 0 end) as n0,
        {% for way in ['advanced', 'lost'] %}
            sum(case when cells.cohort_month = young.cohort_month then cells.{{ way }} else 0 end) as {{ way }}1,
            sum(case when cells.cohort_month < young.cohort_month then cells.{{ way }} else 0 end) as {{ way }}0
            {{- ',' if not loop.last }}
        {% endfor %}
    from (select distinct stage_id, cohort_month, age_days from {{ ref('int_cohorts_at_age') }}) as young
    inner join {{ ref('int_cohorts_at_age') }} as cells
        on
            young.stage_id = cells.stage_id
            and young.age_days = cells.age_days
            and cells.cohort_month <= young.cohort_month
            and cells.cohort_month >= {{ dbt.dateadd('month', -12, 'young.cohort_month') }}
    group by young.stage_id, young.cohort_month, young.age_days, cells.segment, cells.channel
),

ways as (
    {% for way in ['advanced', 'lost'] %}
        select
            stage_id,
            cohort_month,
            age_days,
            '{{ way }}' as exit_type,
            segment,
            channel,
            n1,
            n0,
            {{ way }}1 as x1,
            {{ way }}0 as x0
        from pairs
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

totals as (
    select
        *,
        sum(n1) over segments as segment_n1,
        sum(n0) over segments as segment_n0,
        sum(x1) over segments as segment_x1,
        sum(x0) over segments as segment_x0,
        sum(n1) over cohorts as cohort_n1,
        sum(n0) over cohorts as cohort_n0
    from ways
    window
        segments as (partition by stage_id, cohort_month, age_days, exit_type, segment),
        cohorts as (partition by stage_id, cohort_month, age_days, exit_type)
),

rates as (
    select
        *,
        cast(segment_n1 as double) / cohort_n1 as segment_share1,
        cast(segment_n0 as double) / nullif(cohort_n0, 0) as segment_share0,
        -- shares of channels within the segment, and rates, of this side or else of the other
        cast(case when segment_n1 > 0 then n1 else n0 end as double)
        / case when segment_n1 > 0 then segment_n1 else segment_n0 end as channel_share1,
        cast(case when segment_n0 > 0 then n0 else n1 end as double)
        / case when segment_n0 > 0 then segment_n0 else segment_n1 end as channel_share0,
        coalesce(cast(x1 as double) / nullif(n1, 0), cast(x0 as double) / n0) as rate1,
        coalesce(cast(x0 as double) / nullif(n0, 0), cast(x1 as double) / n1) as rate0,
        coalesce(cast(segment_x1 as double) / nullif(segment_n1, 0), cast(segment_x0 as double) / segment_n0)
            as segment_rate1,
        coalesce(cast(segment_x0 as double) / nullif(segment_n0, 0), cast(segment_x1 as double) / segment_n1)
            as segment_rate0
    from totals
    where cohort_n1 > 0
),

summed as (
    select
        stage_id,
        cohort_month,
        age_days,
        exit_type,
        sum(n1) as entered,
        sum(x1) as exits,
        sum(n0) as entered_before,
        sum(x0) as exits_before,
        -- a segment's own effect stands once, on each of its channels by its share of the segment
        sum(
            (segment_share1 - segment_share0) * (segment_rate1 + segment_rate0) / 2
            * (channel_share1 + channel_share0) / 2
        ) as segment_mix_effect,
        sum(
            (segment_share1 + segment_share0) / 2 * (channel_share1 - channel_share0) * (rate1 + rate0) / 2
        ) as channel_mix_effect,
        sum(
            (segment_share1 + segment_share0) / 2 * (channel_share1 + channel_share0) / 2 * (rate1 - rate0)
        ) as rate_effect
    from rates
    group by stage_id, cohort_month, age_days, exit_type
),

compared as (
    select
        *,
        cast(exits as double) / entered as rate,
        cast(exits_before as double) / nullif(entered_before, 0) as rate_before,
        {{ wilson_low('exits', 'entered') }} as rate_low,
        {{ wilson_high('exits', 'entered') }} as rate_high,
        {{ wilson_low('exits_before', 'entered_before') }} as rate_before_low,
        {{ wilson_high('exits_before', 'entered_before') }} as rate_before_high
    from summed
)

select
    stage_id,
    cohort_month,
    cast(age_days as integer) as age_days,
    exit_type,
    cast(entered as bigint) as entered,
    cast(exits as bigint) as exits,
    cast(entered_before as bigint) as entered_before,
    cast(exits_before as bigint) as exits_before,
    rate,
    rate_before,
    rate - rate_before as difference,
    -- Newcombe (1998), from the bounds of the two rates
    rate - rate_before - sqrt(power(rate - rate_low, 2) + power(rate_before_high - rate_before, 2)) as difference_low,
    rate - rate_before + sqrt(power(rate_high - rate, 2) + power(rate_before - rate_before_low, 2)) as difference_high,
    segment_mix_effect,
    channel_mix_effect,
    rate_effect,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from compared
