{{ config(materialized='table') }}

-- What a cohort has done so far against what was expected of stays as old as its own: observed over expected exits,
-- drawn toward 1 by as many exits as the spread of all cohorts calls for (a gamma prior of the rate, its variance by
-- moments: Clayton and Kaldor 1987). A young cohort has few exits and is read as the others were, an older one speaks
-- for itself.
-- Grain: one row per group and month of entry. Counts are additive within a cut.
{% set ways = ['advanced', 'lost', 'other'] %}
with expected_by as (
    select
        group_id,
        age_days,
        {% for way in ways %}
            sum({{ way }}_hazard) over (partition by group_id order by age_days) as {{ way }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_stay_hazards') }}
),

cohorts as (
    select
        counted.group_id,
        counted.process,
        counted.step,
        counted.cut,
        counted.cut_value,
        counted.cohort_month,
        sum(counted.stays) as entered,
        sum(case when counted.is_left_truncated then counted.stays else 0 end) as history_cut,
        {% for exit_type in ['advanced', 'lost', 'moved_back', 'handed_off', 'still_there'] %}
            sum(case when counted.exit_type = '{{ exit_type }}' then counted.stays else 0 end) as {{ exit_type }},
        {% endfor %}
        min(case when counted.exit_type = 'still_there' then counted.age_days end) as youngest_open_age,
        {% for way in ways %}
            {% set is_way = "not in ('advanced', 'lost')" if way == 'other' else "= '" ~ way ~ "'" %}
            sum(
                case
                    when counted.has_left and not counted.is_left_truncated and counted.exit_type {{ is_way }}
                        then counted.stays
                    else 0
                end
            ) as {{ way }}_observed,
            sum(case when counted.is_left_truncated then 0 else counted.stays * coalesce(expected_by.{{ way }}, 0) end)
                as {{ way }}_expected{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_stays_counted') }} as counted
    left join expected_by on counted.group_id = expected_by.group_id and counted.age_days = expected_by.age_days
    group by
        counted.group_id, counted.process, counted.step, counted.cut, counted.cut_value, counted.cohort_month
),

priors as (
    select
        process,
        step,
        cut,
        {% for way in ways %}
            -- the spread beyond chance, as exits: from 10, cohorts differ much, to 500, they do not
            least(500, greatest(10, coalesce(
                sum(power({{ way }}_expected, 2))
                / nullif(greatest(sum(power({{ way }}_observed - {{ way }}_expected, 2) - {{ way }}_expected), 0), 0),
                500
            ))) as {{ way }}{{ ',' if not loop.last }}
        {% endfor %}
    from cohorts
    group by process, step, cut
)

select
    cohorts.*,
    {% for way in ways %}
        cohorts.{{ way }}_observed + priors.{{ way }} as {{ way }}_weight,
        (cohorts.{{ way }}_observed + priors.{{ way }}) / (cohorts.{{ way }}_expected + priors.{{ way }})
            as {{ way }}_ratio{{ ',' if not loop.last }}
    {% endfor %}
from cohorts
inner join priors
    on
        cohorts.process = priors.process
        and cohorts.step = priors.step
        and cohorts.cut = priors.cut
