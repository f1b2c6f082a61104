{{ config(materialized='table') }}

-- What a cohort will come to: what has happened, and what is expected of the stays that are open. All segments together
-- are the sum of the segments, so that a change of their mix does not pass for a change of rates. The variance holds
-- chance (open stays end one way or the other) and what is not known of the cohort's ratios, which all its stays share.
-- Grain: one row per process, step, cut (all, segment, channel, team, product), value of it and month of entry. Counts,
-- expected counts and variances are additive within a cut.
{% set counts = ['entered', 'advanced', 'lost', 'moved_back', 'handed_off', 'still_there', 'history_cut'] %}
{% set sums = counts + ['expected_advanced', 'expected_lost', 'variance'] %}
with open_stays as (
    select
        group_id,
        cohort_month,
        {% for way in ['advanced', 'lost'] %} sum(stays * {{ way }}_chance) as {{ way }}, {% endfor %}
        sum(stays * advanced_chance * (1 - advanced_chance)) as chance_variance
    from {{ ref('int_open_stays_expected') }}
    group by group_id, cohort_month
),

expected as (
    select
        cohorts.process,
        cohorts.step,
        cohorts.cut,
        cohorts.cut_value,
        cohorts.cohort_month,
        {% for count in counts %} cohorts.{{ count }}, {% endfor %}
        {% for way in ['advanced', 'lost'] %}
            cohorts.{{ way }} + coalesce(open_stays.{{ way }}, 0) as expected_{{ way }},
        {% endfor %}
        coalesce(
            chance_variance + power(chance_variance, 2) * (1 / cohorts.advanced_weight + 1 / cohorts.lost_weight), 0
        ) as variance
    from {{ ref('int_cohorts_judged') }} as cohorts
    left join open_stays on cohorts.group_id = open_stays.group_id and cohorts.cohort_month = open_stays.cohort_month
)

select
    process,
    step,
    cut,
    cut_value,
    cohort_month,
    {{ sums | join(', ') }}
from expected

union all

select
    process,
    step,
    'all' as cut,
    'all' as cut_value,
    cohort_month,
    {% for column in sums %} sum({{ column }}) as {{ column }}{{ ',' if not loop.last }} {% endfor %}
from expected
where cut = 'segment'
group by process, step, cohort_month
