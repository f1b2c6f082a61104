{{ config(materialized='table') }}

-- How the stays that are open will end: what its group did after that age (Aalen-Johansen from there on), at the
-- cohort's own ratio to what was expected of it. Beyond the greatest age seen nobody is expected to leave.
-- Grain: one row per group, month of entry and age of open stays. `stays` is additive within a cut.
{% set ways = ['advanced', 'lost', 'other'] %}
with open_stays as (
    select
        group_id,
        cohort_month,
        age_days,
        sum(stays) as stays
    from {{ ref('int_stays_counted') }}
    where exit_type = 'still_there'
    group by group_id, cohort_month, age_days
),

-- the hazards of all ways out at one age stay below 1, whatever the ratio
ahead as (
    select
        cohorts.group_id,
        cohorts.cohort_month,
        hazards.age_days,
        {% for way in ways %} {{ way }}_hazard * {{ way }}_ratio as {{ way }}, {% endfor %}
        greatest(
            1, ({% for way in ways %} {{ way }}_hazard * {{ way }}_ratio {{ '+' if not loop.last }} {% endfor %}) / 0.999
        ) as excess
    from {{ ref('int_cohorts_judged') }} as cohorts
    inner join {{ ref('int_stay_hazards') }} as hazards
        on cohorts.group_id = hazards.group_id and cohorts.youngest_open_age < hazards.age_days
),

survived as (
    select
        *,
        exp(sum(ln(1 - (advanced + lost + other) / excess)) over (
            partition by group_id, cohort_month order by age_days
        )) as survival
    from ahead
),

left_by as (
    select
        *,
        {% for way in ['advanced', 'lost'] %}
            sum({{ way }} / excess * survival / (1 - (advanced + lost + other) / excess)) over cohort_until
                as {{ way }}_until,
            sum({{ way }} / excess * survival / (1 - (advanced + lost + other) / excess)) over cohort
                as {{ way }}_ever{{ ',' if not loop.last }}
        {% endfor %}
    from survived
    window
        cohort as (partition by group_id, cohort_month),
        cohort_until as (partition by group_id, cohort_month order by age_days)
),

cohort_ever as (
    select distinct
        group_id,
        cohort_month,
        advanced_ever,
        lost_ever
    from left_by
)

select
    open_stays.group_id,
    open_stays.cohort_month,
    open_stays.age_days,
    open_stays.stays,
    -- the youngest stays of a cohort have all of it ahead of them; rounding must not leave 0 to 1
    {% for way in ['advanced', 'lost'] %}
        least(1, greatest(0, coalesce(
            (left_by.{{ way }}_ever - left_by.{{ way }}_until) / left_by.survival, cohort_ever.{{ way }}_ever, 0
        ))) as {{ way }}_chance{{ ',' if not loop.last }}
    {% endfor %}
from open_stays
left join left_by
    on
        open_stays.group_id = left_by.group_id
        and open_stays.cohort_month = left_by.cohort_month
        and open_stays.age_days = left_by.age_days
left join cohort_ever
    on open_stays.group_id = cohort_ever.group_id and open_stays.cohort_month = cohort_ever.cohort_month
