{{ config(materialized='table') }}

-- Aalen-Johansen, plain: of the stays of a cohort that were there at an age, what left by which way (statsmodels'
-- CumIncidenceRight). Nothing is assumed of what comes after the last age seen. Ages at which nobody left or was last
-- seen have no row: a curve holds its value until the next one.
-- Grain: one row per process, step, segment, month of entry, clock (calendar; for stages also business) and age. Not additive.
{% set ways = ['advanced', 'lost', 'moved_back', 'handed_off'] %}
{% set curve = 'process, step, segment, cohort_month, clock' %}
with aged as (
    select
        process,
        step,
        cut_value as segment,
        cohort_month,
        'calendar' as clock,
        age_days,
        case when has_left then exit_type end as exit_type,
        stays
    from {{ ref('int_stays_counted') }}
    where cut = 'segment' and age_days >= 0 and not is_left_truncated
    union all
    select
        'stage' as process,
        stage_id as step,
        segment,
        cohort_month,
        'business' as clock,
        business_age_days as age_days,
        exit_type,
        stays
    from {{ ref('int_stays_business_aged') }}
),

left_by_age as (
    select
        {{ curve }},
        age_days,
        sum(stays) as last_seen,
        {% for way in ways %}
            sum(case when exit_type = '{{ way }}' then stays else 0 end) as {{ way }}{{ ',' if not loop.last }}
        {% endfor %}
    from aged
    group by {{ curve }}, age_days
),

at_risk as (
    select
        *,
        sum(last_seen) over (partition by {{ curve }} order by age_days desc) as at_risk,
        {{ ways | join(' + ') }} as exits
    from left_by_age
),

-- a product of shares, of which the last may be 0: from there on it is 0
survived as (
    select
        *,
        case
            when max(case when exits = at_risk then 1 else 0 end) over until_then = 1 then 0
            else exp(
                sum(ln(case when exits = at_risk then 1 else 1 - cast(exits as double) / at_risk end)) over until_then
            )
        end as survival
    from at_risk
    window until_then as (partition by {{ curve }} order by age_days)
),

came_to as (
    select
        *,
        coalesce(lag(survival) over (partition by {{ curve }} order by age_days), 1) as survival_before
    from survived
)

select
    {{ curve }},
    age_days,
    at_risk,
    {% for way in ways %} {{ way }}, {% endfor %}
    survival,
    {% for way in ways %}
        sum(survival_before * {{ way }} / at_risk) over (
            partition by {{ curve }} order by age_days rows between unbounded preceding and current row
        ) as cumulative_{{ way }}{{ ',' if not loop.last }}
    {% endfor %}
from came_to
