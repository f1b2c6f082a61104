{{ config(materialized='table') }}

-- What became of stays by a given age, of those only that have reached it: a young cohort and an old one are looked
-- at with the same eyes. Stays whose beginning is not known have no age.
-- Grain: one row per stage, segment, channel, month of entry and age. Additive over stages, segments, channels and months.
{% set ages = var('cohort_ages') %}
with counted as (
    select
        stage_id,
        segment,
        channel,
        cast({{ dbt.date_trunc('month', 'entered_at') }} as date) as cohort_month,
        {% for age in ages %}
            {% set reached = "entered_at < " ~ dbt.dateadd('day', -age, 'today') %}
            sum(case when {{ reached }} then 1 else 0 end) as entered_{{ age }},
            {% for way in ['advanced', 'lost'] %}
                sum(case when {{ reached }} and days_in_stage <= {{ age }} and exit_type = '{{ way }}' then 1 else 0 end)
                    as {{ way }}_{{ age }}{{ ',' if not loop.last }}
            {% endfor %}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('fct_stage_visits') }}
    cross join (
        select cast({{ first_day_not_whole() }} as {{ dbt.type_timestamp() }}) as today
        from {{ ref('stg_as_of') }}
    ) as clock
    where not is_left_truncated
    group by stage_id, segment, channel, cast({{ dbt.date_trunc('month', 'entered_at') }} as date)
)

{% for age in ages %}
    select
        stage_id,
        segment,
        channel,
        cohort_month,
        {{ age }} as age_days,
        entered_{{ age }} as entered,
        advanced_{{ age }} as advanced,
        lost_{{ age }} as lost
    from counted
    where entered_{{ age }} > 0
    {% if not loop.last %}union all{% endif %}
{% endfor %}
