-- Months of a baseline in which a group was far off its own other months: past incidents, which a baseline must not
-- learn from. Held against the group's level in the months besides, age by age, and against how unsteady months are.
{% set groups = {'all': "''", 'segment': 'segment', 'channel': 'channel', 'team': 'team'} %}

with periods as (
    select distinct period_date
    from {{ ref('int_chart_days') }}
    where period_date is not null
),

ages as (
    select
        month_date,
        signal,
        subject,
        age_bin,
        sum(n) as n,
        sum(y) as y
    from {{ ref('int_chart_months') }}
    group by month_date, signal, subject, age_bin
),

rates as (
    select
        periods.period_date,
        ages.signal,
        ages.subject,
        ages.age_bin,
        sum(ages.y) / sum(ages.n) as p
    from periods
    inner join ages on {{ in_chart_baseline('ages.month_date', 'periods.period_date') }}
    group by periods.period_date, ages.signal, ages.subject, ages.age_bin
),

grouped as (
    {% for group, value in groups.items() %}
        select
            month_date,
            signal,
            subject,
            age_bin,
            '{{ group }}' as group_kind,
            {{ value }} as group_value,
            sum(n) as n,
            sum(y) as y
        from {{ ref('int_chart_months') }}
        group by month_date, signal, subject, age_bin{{ ', ' ~ value if group != 'all' }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

months as (
    select
        rates.period_date,
        grouped.signal,
        grouped.subject,
        grouped.group_kind,
        grouped.group_value,
        grouped.month_date,
        sum(grouped.y) as y,
        sum(grouped.n * rates.p) as e,
        sum(grouped.n * rates.p * (1 - rates.p)) as v
    from grouped
    inner join rates
        on
            {{ in_chart_baseline('grouped.month_date', 'rates.period_date') }}
            and grouped.signal = rates.signal
            and grouped.subject = rates.subject
            and grouped.age_bin = rates.age_bin
    group by
        rates.period_date, grouped.signal, grouped.subject, grouped.group_kind, grouped.group_value, grouped.month_date
),

compared as (
    select
        *,
        sum(y) over of_group - y as y_besides,
        sum(e) over of_group - e as e_besides,
        sum(v) over of_group - v as v_besides
    from months
    window of_group as (partition by period_date, signal, subject, group_kind, group_value)
),

residuals as (
    select
        *,
        (y - e * (y_besides + 5) / (e_besides + 5)) / sqrt(v + v * v / (v_besides + 1)) as z
    from compared
    where v > 2
),

spreads as (
    select
        period_date,
        signal,
        group_kind,
        median(abs(z)) / 0.6745 as spread
    from residuals
    group by period_date, signal, group_kind
)

select
    residuals.period_date,
    residuals.signal,
    residuals.subject,
    residuals.group_kind,
    residuals.group_value,
    residuals.month_date,
    residuals.y,
    residuals.e,
    residuals.z
from residuals
inner join spreads
    on
        residuals.period_date = spreads.period_date
        and residuals.signal = spreads.signal
        and residuals.group_kind = spreads.group_kind
where abs(residuals.z) > 4 * greatest(1, spreads.spread)
