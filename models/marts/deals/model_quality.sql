-- How good the chances were: of deals open on a day, what was said then against what came within the time. A calibration
-- slope of 1 says that chances are as far apart as they should be; below, they were too bold. Not additive.
{% set steps = 8 %}
{% set keys = ['tested_on', 'outcome', 'model', 'is_backtest'] %}
with said as (
    select
        {{ keys | join(', ') }},
        p,
        {{ log_odds('least(0.9999, greatest(0.0001, p))') }} as x,
        count(*) as n,
        sum(is_event) as events
    from {{ ref('int_risk_tested') }}
    group by {{ keys | join(', ') }}, p
),

ranked as (
    select
        *,
        coalesce(sum(n - events) over (
            partition by {{ keys | join(', ') }} order by p rows between unbounded preceding and 1 preceding
        ), 0) as others_below
    from said
),

measured as (
    select
        {{ keys | join(', ') }},
        sum(n) as n,
        sum(events) as events,
        sum(events * (others_below + (n - events) / 2.0)) / nullif(cast(sum(events) as double) * sum(n - events), 0) as auc,
        sum(events * power(1 - p, 2) + (n - events) * power(p, 2)) / sum(n) as brier,
        sum(n * p) / nullif(sum(events), 0) as predicted_over_actual
    from ranked
    group by {{ keys | join(', ') }}
),

-- logistic regression of what came on the log-odds said, by Newton's method
slopes_0 as (
    select
        {{ keys | join(', ') }},
        cast(0 as double) as constant,
        cast(1 as double) as slope
    from measured
),

{% for step in range(1, steps + 1) %}
    sums_{{ step }} as (
        select
            {% for key in keys %} said.{{ key }}, {% endfor %}
            max(slopes.constant) as constant,
            max(slopes.slope) as slope,
            sum(said.events - said.n * p.p) as score,
            sum((said.events - said.n * p.p) * said.x) as score_x,
            sum(said.n * p.p * (1 - p.p)) as v,
            sum(said.n * p.p * (1 - p.p) * said.x) as vx,
            sum(said.n * p.p * (1 - p.p) * said.x * said.x) as vxx
        from said
        inner join slopes_{{ step - 1 }} as slopes
            on {% for key in keys %} said.{{ key }} = slopes.{{ key }} {{ 'and' if not loop.last }} {% endfor %}
        cross join lateral (select {{ chance_of('slopes.constant + slopes.slope * said.x') }} as p) as p
        group by {% for key in keys %} said.{{ key }}{{ ',' if not loop.last }} {% endfor %}
    ),

    slopes_{{ step }} as (
        select
            {{ keys | join(', ') }},
            constant + (vxx * score - vx * score_x) / case when vxx * v - vx * vx > 0.000001 then vxx * v - vx * vx end as constant,
            slope + (v * score_x - vx * score) / case when vxx * v - vx * vx > 0.000001 then vxx * v - vx * vx end as slope
        from sums_{{ step }}
    ){{ ',' if not loop.last }}
{% endfor %}

select
    measured.tested_on,
    measured.outcome,
    measured.model,
    measured.is_backtest,
    cast(measured.n as bigint) as n,
    cast(measured.events as bigint) as events,
    round(measured.auc, 8) as auc,
    round(measured.brier, 8) as brier,
    case when measured.events between 1 and measured.n - 1 then round(slopes.slope, 6) + 0 end as calibration_slope,
    round(measured.predicted_over_actual, 8) as predicted_over_actual,
    cast(as_of.as_of as date) as as_of
from measured
inner join slopes_{{ steps }} as slopes
    on {% for key in keys %} measured.{{ key }} = slopes.{{ key }} {{ 'and' if not loop.last }} {% endfor %}
cross join {{ ref('stg_as_of') }} as as_of
