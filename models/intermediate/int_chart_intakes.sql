{{ config(materialized='table') }}

-- Leads that got worse show in what becomes of the deals that came in since, while most of what is lost today came in
-- before. So of each channel evidence is summed over deals that came in since a week, for each week of the last half
-- year: what is known of them on a day. Deals of before the week say nothing for it and nothing against it.
{% set sizes = chart_sizes('lead_quality') %}
{% set figures = ['n', 'observed', 'expected', 'nats_1', 'nats_2', 'nats_3'] %}

with days as (
    select
        workday,
        period_date,
        cast(floor(workday / 5) as integer) as week_number
    from {{ ref('int_chart_days') }}
    where is_business_day and period_date is not null
),

weeks as (
    select distinct week_number as intake_week from days
),

streams as (
    select *
    from {{ ref('int_chart_streams') }}
    where signal = 'lead_quality' and is_watched
),

said as (
    select
        days.period_date,
        days.workday,
        trials.channel,
        trials.intake_week,
        trials.n,
        trials.y,
        expected.p,
        expected.p / (1 - expected.p) * {{ chart_signals()['lead_quality'].margin }} as odds
    from {{ ref('int_chart_trials') }} as trials
    inner join days on trials.workday = days.workday
    inner join {{ ref('int_chart_expected') }} as expected
        on
            days.period_date = expected.period_date
            and {{ is_same_chart_cell('trials', 'expected') }}
    where trials.signal = 'loss_rate'
),

weekly as (
    select
        period_date,
        workday,
        channel,
        intake_week,
        sum(n) as n,
        sum(y) as observed,
        sum(n * p) as expected,
        {% for size in sizes %}
            sum({{ chart_nats(size) }}) as nats_{{ loop.index }}{{ ',' if not loop.last }}
        {% endfor %}
    from said
    group by period_date, workday, channel, intake_week
),

-- every week on every day of its half year, whether something was decided or not
daily as (
    select
        streams.stream_id,
        streams.weight,
        streams.dispersion,
        days.workday,
        weeks.intake_week,
        {% for figure in figures %}
            coalesce(weekly.{{ figure }}, 0) as {{ figure }}{{ ',' if not loop.last }}
        {% endfor %}
    from streams
    inner join days on streams.period_date = days.period_date
    inner join weeks on days.week_number - weeks.intake_week between 0 and 25
    left join weekly
        on
            days.workday = weekly.workday
            and weeks.intake_week = weekly.intake_week
            and streams.channel = weekly.channel
),

since as (
    select
        stream_id,
        weight,
        dispersion,
        workday,
        intake_week,
        {% for figure in figures %}
            sum({{ figure }}) over since_week as {{ figure }}{{ ',' if not loop.last }}
        {% endfor %}
    from daily
    window since_week as (
        partition by stream_id, workday order by intake_week desc rows between unbounded preceding and current row
    )
)

select
    stream_id,
    workday,
    intake_week * 5 as started_workday,
    weight,
    {% for figure in figures %}
        sum({{ figure }}{{ ' / dispersion' if figure.startswith('nats') }}) over up_to_day as {{ figure }}{{ ',' if not loop.last }}
    {% endfor %}
from since
window up_to_day as (
    partition by stream_id, intake_week order by workday rows between unbounded preceding and current row
)
