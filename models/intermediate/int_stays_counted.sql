{{ config(materialized='table') }}

-- Stays by cohort, way out and age: what every estimate reads. Only whole days are observed: who left on the day of
-- which the extract saw a part is still there at the end of the day before (age -1: had not come yet), or the last day
-- would show those who left without all those who stayed.
-- Grain: one row per group (process, step, cut by segment, channel, team or product, value of the cut), month of entry,
-- way out, whether that was within the whole days, and age at the way out or at the last whole day. Additive within a cut.
{% set cuts = ['segment', 'channel', 'team', 'product'] %}
with clock as (
    select
        {{ first_day_not_whole() }} as today,
        {{ last_whole_day() }} as yesterday
    from {{ ref('stg_as_of') }}
),

stays as (
    select
        process,
        step,
        {% for cut in cuts %} coalesce({{ cut }}, 'unknown') as {{ cut }}, {% endfor %}
        exit_type,
        is_left_truncated,
        coalesce(cast(exited_at as date) < today, false) as has_left,
        cast({{ dbt.date_trunc('month', 'entered_at') }} as date) as cohort_month,
        {{ dbt.datediff('entered_at', 'least(coalesce(exited_at, yesterday), yesterday)', 'day') }} as age_days
    from {{ ref('int_stays_followed') }}
    cross join clock
),

counted as (
    select
        process,
        step,
        case {% for cut in cuts %} when grouping({{ cut }}) = 0 then '{{ cut }}' {% endfor %} end as cut,
        coalesce({{ cuts | join(', ') }}) as cut_value,
        cohort_month,
        exit_type,
        is_left_truncated,
        has_left,
        age_days,
        count(*) as stays
    from stays
    group by grouping sets (
        {% for cut in cuts %}
            (process, step, {{ cut }}, cohort_month, exit_type, is_left_truncated, has_left, age_days)
            {{- ',' if not loop.last }}
        {% endfor %}
    )
)

select
    process || '|' || step || '|' || cut || '|' || cut_value as group_id,
    *
from counted
