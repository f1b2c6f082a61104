{{ config(materialized='table') }}

-- How often a chance is taken in each cell, as the baseline of a period has it. Within a subject (a stage, a step)
-- the log-odds are age + season + segment + channel + team: each is moved in turn by its score, sum(y - np) over
-- sum(np(1-p)) + 8, so that what is rare stays near the rest. Past incidents are left out. Cells of the period itself
-- are there with no weight: they get their p, and lend nothing.
{% set effects = ['season', 'segment', 'channel', 'team', 'age_bin'] %}
{% set fits = [] %}
{% set columns %}
    cells.period_date, cells.signal, cells.subject, cells.segment, cells.channel, cells.team, cells.age_bin, cells.season
{%- endset %}
{% set groups = {'all': "''", 'segment': 'months.segment', 'channel': 'months.channel', 'team': 'months.team'} %}

with periods as (
    select
        period_date,
        max(month_date) as last_month
    from {{ ref('int_chart_days') }}
    where period_date is not null
    group by period_date
),

incidents as (
    {% for group, value in groups.items() %}
        select
            incidents.period_date,
            months.*
        from {{ ref('int_chart_months') }} as months
        inner join {{ ref('int_chart_incidents') }} as incidents
            on
                months.month_date = incidents.month_date
                and months.signal = incidents.signal
                and months.subject = incidents.subject
                and incidents.group_kind = '{{ group }}'
                and incidents.group_value = {{ value }}
        {{ 'union' if not loop.last }}
    {% endfor %}
),

counted as (
    select
        periods.period_date,
        months.*,
        case when months.month_date < periods.period_date then 1 else 0 end as weight
    from periods
    inner join {{ ref('int_chart_months') }} as months
        on
            months.month_date <= periods.last_month
            and months.month_date >= {{ dbt.dateadd('month', -24, 'periods.period_date') }}
    union all
    select
        *,
        -1 as weight
    from incidents
),

cells as (
    select
        period_date,
        signal,
        subject,
        segment,
        channel,
        team,
        age_bin,
        season,
        sum(n * weight) as n,
        sum(y * weight) as y
    from counted
    group by period_date, signal, subject, segment, channel, team, age_bin, season
),

-- a subject in a period is fitted on its own
models as (
    select
        period_date,
        signal,
        subject,
        row_number() over (order by period_date, signal, subject) as model_number,
        (sum(y) + 0.5) / (sum(n) + 1) as p
    from cells
    group by period_date, signal, subject
    -- a stage or step that the baseline hardly knows is expected nothing of
    having sum(n) >= 20
),

fit_0 as (
    select
        models.model_number,
        {{ columns }},
        cells.n,
        cells.y,
        ln(
            (sum(cells.y) over of_age + 20 * models.p)
            / (sum(cells.n - cells.y) over of_age + 20 * (1 - models.p))
        ) as log_odds
    from cells
    inner join models
        on
            cells.period_date = models.period_date
            and cells.signal = models.signal
            and cells.subject = models.subject
    window of_age as (partition by models.model_number, cells.age_bin)
),

{% for effect in effects + effects %}
    {% do fits.append(effect) %}
    fit_{{ loop.index }} as (
        select
            model_number,
            {{ columns | replace('cells.', '') }},
            n,
            y,
            log_odds
            + sum(y - n / (1 + exp(-log_odds))) over score
            / (sum(n / ((1 + exp(-log_odds)) * (1 + exp(log_odds)))) over score + 8) as log_odds
        from fit_{{ loop.index0 }}
        window score as (partition by model_number, {{ effect }})
    ){{ ',' if not loop.last }}
{% endfor %}

select
    period_date,
    signal,
    subject,
    segment,
    channel,
    team,
    age_bin,
    season,
    1 / (1 + exp(-log_odds)) as p
from fit_{{ fits | length }}
