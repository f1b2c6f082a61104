{{ config(materialized='table') }}
{%- do indicator_refs() %}

-- Two ways in which an indicator knows the outcome before it should. Either it changes for the first time when the deal
-- ends: at every landmark it is then what it was at the start. Or it is told back in time: then deals that have ended
-- show it at a landmark, and those still open, of the same stage, segment, age and quarter, hardly ever do, though
-- nobody knew at the landmark which would be which.
with late as (
    select
        indicators.indicator,
        count(*) as changed_deals,
        sum(case when kept.changed_at >= kept.ended_at then 1 else 0 end) as changed_at_end
    from {{ ref('int_indicator_steps_kept') }} as kept
    inner join (
        {% for node in indicators() %}
            select
                {{ loop.index }} as indicator_number,
                '{{ indicator_name(node) }}' as indicator
            {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as indicators on kept.indicator_number = indicators.indicator_number
    where kept.ended_at >= (select {{ dbt.dateadd('day', -90, 'as_of') }} from {{ ref('stg_as_of') }})
    group by indicators.indicator
),

shown as (
    select
        counts.indicator,
        counts.landmark,
        counts.stage_id,
        counts.segment,
        counts.age_band,
        counts.quarter_start_date,
        sum(counts.deals) as shown,
        sum(counts.deals - counts.won - counts.lost) as shown_open
    from {{ ref('int_indicator_counts') }} as counts
    inner join {{ ref('dim_indicators') }} as indicators on counts.indicator = indicators.indicator
    where indicators.default_value is null or counts.value <> indicators.default_value
    group by
        counts.indicator, counts.landmark, counts.stage_id, counts.segment, counts.age_band, counts.quarter_start_date
),

strata as (
    select
        landmark,
        stage_id,
        segment,
        age_band,
        cast({{ dbt.date_trunc('quarter', 'landmark_at') }} as date) as quarter_start_date,
        count(*) as deals,
        count(*) - count(outcome) as open_deals
    from {{ ref('int_indicator_landmarks') }}
    where landmark_at <= (select as_of from {{ ref('stg_as_of') }})
    group by landmark, stage_id, segment, age_band, cast({{ dbt.date_trunc('quarter', 'landmark_at') }} as date)
),

told_back as (
    select
        shown.indicator,
        sum(shown.shown_open) as shown_open,
        sum(strata.open_deals * shown.shown / cast(strata.deals as double)) as expected_open
    from shown
    inner join strata
        on
            shown.landmark = strata.landmark
            and shown.stage_id = strata.stage_id
            and shown.segment = strata.segment
            and shown.age_band = strata.age_band
            and shown.quarter_start_date = strata.quarter_start_date
    group by shown.indicator
)

select
    indicators.indicator,
    coalesce(late.changed_deals, 0) as changed_deals,
    coalesce(late.changed_at_end, 0) as changed_at_end,
    coalesce(told_back.shown_open, 0) as shown_open,
    coalesce(told_back.expected_open, 0) as expected_open,
    coalesce(late.changed_deals >= 20 and late.changed_at_end >= 0.5 * late.changed_deals, false) as is_set_at_end,
    coalesce(told_back.expected_open >= 10 and told_back.shown_open <= 0.1 * told_back.expected_open, false) as is_told_back
from {{ ref('dim_indicators') }} as indicators
left join late on indicators.indicator = late.indicator
left join told_back on indicators.indicator = told_back.indicator
