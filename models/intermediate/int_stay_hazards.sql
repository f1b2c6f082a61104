{{ config(materialized='table') }}

-- Of the stays that reached an age, the share that left at it, by way out: the increments of Aalen-Johansen. Learnt
-- from all cohorts, of which the recent weigh more (cohort_half_life_days); a small group is drawn toward all segments
-- together, as if so many of theirs were among its own (cohort_shrinkage).
-- Grain: one row per group and age at which anybody of the step left or was last seen.
{% set ways = ['advanced', 'lost', 'other'] %}
with weighed as (
    select
        group_id,
        age_days,
        case
            when not has_left then 'still_there'
            when exit_type in ('advanced', 'lost') then exit_type
            else 'other'
        end as way,
        -- 1 for a stay that begins today; one whose age is not known tells nothing, though its age is asked for
        case when is_left_truncated then 0 else stays end * power(
            0.5, ({{ dbt.datediff('cohort_month', 'as_of', 'day') }} - 15) / {{ var('cohort_half_life_days') }}.0
        ) as weight
    from {{ ref('int_stays_counted') }}
    cross join {{ ref('stg_as_of') }}
    where age_days >= 0
),

left_by_age as (
    select
        group_id,
        age_days,
        sum(weight) as last_seen,
        {% for way in ways %}
            sum(case when way = '{{ way }}' then weight else 0 end) as {{ way }}{{ ',' if not loop.last }}
        {% endfor %}
    from weighed
    group by group_id, age_days
),

groups as (
    select distinct
        group_id,
        process,
        step,
        cut
    from {{ ref('int_stays_counted') }}
),

ages as (
    select distinct
        groups.process,
        groups.step,
        left_by_age.age_days
    from left_by_age
    inner join groups on left_by_age.group_id = groups.group_id
),

followed as (
    select
        groups.group_id,
        groups.process,
        groups.step,
        groups.cut,
        ages.age_days,
        {% for way in ways %} coalesce(left_by_age.{{ way }}, 0) as {{ way }}, {% endfor %}
        sum(coalesce(left_by_age.last_seen, 0)) over (partition by groups.group_id order by ages.age_days desc)
            as at_risk,
        power(2, ages.age_days / {{ var('cohort_half_life_days') }}.0) as weight_at_age
    from groups
    inner join ages on groups.process = ages.process and groups.step = ages.step
    left join left_by_age on groups.group_id = left_by_age.group_id and ages.age_days = left_by_age.age_days
),

pooled as (
    select
        process,
        step,
        age_days,
        {% for way in ways %} coalesce(sum({{ way }}) / nullif(sum(at_risk), 0), 0) as {{ way }}{{ ',' if not loop.last }} {% endfor %}
    from followed
    where cut = 'segment'
    group by process, step, age_days
)

select
    followed.group_id,
    followed.age_days,
    {% for way in ways %}
        (followed.{{ way }} * weight_at_age + {{ var('cohort_shrinkage') }} * pooled.{{ way }})
        / (at_risk * weight_at_age + {{ var('cohort_shrinkage') }}) as {{ way }}_hazard{{ ',' if not loop.last }}
    {% endfor %}
from followed
inner join pooled
    on
        followed.process = pooled.process
        and followed.step = pooled.step
        and followed.age_days = pooled.age_days
