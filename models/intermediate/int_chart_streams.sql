{{ config(materialized='table') }}

-- The streams that are watched in a period, with what the baseline says of them: how much a workday tells, how
-- unsteady the signal is beyond chance (its evidence is divided by that), and its share of the budget. A stream that
-- could not see even odds four times worse within half a year gets none: its silence would mean nothing.
with cells as (
    select
        expected.period_date,
        months.month_date,
        months.signal,
        months.subject,
        months.stage_id,
        months.segment,
        months.channel,
        months.team,
        months.y,
        months.n * expected.p as e,
        months.n * expected.p * (1 - expected.p) as v
    from {{ ref('int_chart_months') }} as months
    inner join {{ ref('int_chart_expected') }} as expected
        on
            {{ in_chart_baseline('months.month_date', 'expected.period_date') }}
            and {{ is_same_chart_cell('months', 'expected') }}
),

months as (
    {% for signal, chart in chart_signals().items() if signal != 'inbound_volume' %}
        {% for group in chart.groups %}
            select
                period_date,
                month_date,
                '{{ signal }}' as signal,
                {{ "''" if signal == 'lead_quality' else 'subject' }} as subject,
                {{ 'null' if signal == 'lead_quality' else 'case when min(stage_id) = max(stage_id) then min(stage_id) end' }} as stage_id,
                {% for column in ['segment', 'channel', 'team'] %}
                    {{ column if column == group else "''" }} as {{ column }},
                {% endfor %}
                21 as workdays,
                sum(y) as y,
                sum(e) as e,
                sum(v) as v
            from cells
            where signal = '{{ 'loss_rate' if signal == 'lead_quality' else signal }}'
            group by
                period_date, month_date{{ ', subject' if signal != 'lead_quality' }}{{ ', ' ~ group if group }}
            union all
        {% endfor %}
    {% endfor %}
    -- new deals come in bursts of days, so of them weeks are compared
    select
        volumes.period_date,
        min(days.workday_date) as month_date,
        'inbound_volume' as signal,
        '' as subject,
        null as stage_id,
        '' as segment,
        volumes.channel,
        '' as team,
        5 as workdays,
        sum(volumes.y) as y,
        sum(volumes.expected) as e,
        sum(volumes.expected) as v
    from {{ ref('int_chart_volumes') }} as volumes
    inner join {{ ref('int_chart_days') }} as days on volumes.workday = days.workday and days.is_business_day
    where
        volumes.is_baseline
        -- the level is that of the year before: it does not fit what came earlier
        and days.month_date >= {{ dbt.dateadd('month', -12, 'volumes.period_date') }}
    group by volumes.period_date, volumes.channel, floor(volumes.workday / 5)
),

streams as (
    select
        period_date,
        signal,
        subject,
        case when min(stage_id) = max(stage_id) then min(stage_id) end as stage_id,
        segment,
        channel,
        team,
        sum(e) as e,
        sum(v) as v,
        count(*) as stretches,
        sum(workdays) as workdays
    from months
    group by period_date, signal, subject, segment, channel, team
),

-- how far months wander besides chance, as a variance of log-odds; an incident in the baseline is no wandering
wanderings as (
    select
        period_date,
        signal,
        greatest(0, sum((y - e) * (y - e) - v) / sum(v * v)) as wandering
    from months
    where v > 2 and (y - e) * (y - e) < 16 * v
    group by period_date, signal
),

told as (
    select
        streams.*,
        1 + coalesce(wanderings.wandering, 0) * streams.v / streams.stretches as dispersion
    from streams
    left join wanderings on streams.period_date = wanderings.period_date and streams.signal = wanderings.signal
),

-- a workday's evidence if the odds double, in nats; a stream is watched if half a year would do for the largest fault
weighed as (
    select
        *,
        v / workdays * 0.24 / dispersion as nats_a_day,
        v / workdays * 0.6 / dispersion * 130 > 10 as is_watched
    from told
)

select
    weighed.period_date,
    {{ chart_stream_id() }} as stream_id,
    weighed.signal,
    weighed.subject,
    weighed.stage_id,
    weighed.segment,
    weighed.channel,
    weighed.team,
    weighed.dispersion,
    weighed.nats_a_day,
    weighed.is_watched,
    case when weighed.is_watched then
        case weighed.signal
            {% for signal, chart in chart_signals().items() %}
                when '{{ signal }}' then {{ chart.share }}
            {% endfor %}
        end
        / count(case when weighed.is_watched then 1 end) over (partition by weighed.period_date, weighed.signal)
    else 0 end as weight
from weighed
