{{ config(materialized='table') }}

-- What each tested day says of each stream: what was observed, what the baseline expected, and the log of how much
-- likelier the day is under a fault of three sizes than under the worst that still counts as usual, a margin beyond
-- what is expected. What it says is divided by how unsteady the signal is.
{% set signals = chart_signals() %}

with cells as (
    select
        days.period_date,
        trials.*,
        expected.p,
        trials.signal = 'loss_rate' as is_up,
        -- the worst odds that are still usual
        expected.p / (1 - expected.p) * case trials.signal
            {% for signal, chart in signals.items() if signal not in ('inbound_volume', 'lead_quality') %}
                when '{{ signal }}' then {{ chart.margin if chart.harm == 'up' else '1 / %s' % chart.margin }}
            {% endfor %}
        end as odds
    from {{ ref('int_chart_trials') }} as trials
    inner join {{ ref('int_chart_days') }} as days on trials.workday = days.workday and days.is_business_day
    inner join {{ ref('int_chart_expected') }} as expected
        on
            days.period_date = expected.period_date
            and {{ is_same_chart_cell('trials', 'expected') }}
),

said as (
    select
        *,
        {% for size in range(3) %}
            case
                when is_up then {{ chart_nats(chart_sizes('loss_rate')[size]) }}
                else {{ chart_nats(chart_sizes('inbound_mix')[size]) }}
            end as nats_{{ size + 1 }}{{ ',' if not loop.last }}
        {% endfor %}
    from cells
),

streams as (
    {% for signal, chart in chart_signals().items() if signal != 'inbound_volume' %}
        {% for group in chart.groups %}
            select
                period_date,
                workday,
                '{{ signal }}' as signal,
                {{ "''" if signal == 'lead_quality' else 'subject' }} as subject,
                {% for column in ['segment', 'channel', 'team'] %}
                    {{ column if column == group else "''" }} as {{ column }},
                {% endfor %}
                sum(n) as n,
                sum(y) as observed,
                sum(n * p) as expected,
                sum(nats_1) as nats_1,
                sum(nats_2) as nats_2,
                sum(nats_3) as nats_3
            from said
            where signal = '{{ 'loss_rate' if signal == 'lead_quality' else signal }}'
            group by period_date, workday{{ ', subject' if signal != 'lead_quality' }}{{ ', ' ~ group if group }}
            union all
        {% endfor %}
    {% endfor %}
    select
        period_date,
        workday,
        'inbound_volume' as signal,
        '' as subject,
        '' as segment,
        channel,
        '' as team,
        cast(null as double) as n,
        y as observed,
        expected
        {% for size in chart_sizes('inbound_volume') %}
            , y * ln({{ size }}) + (1 - {{ size }}) * expected
            / case when channel = '' then {{ signals['inbound_volume'].margin }} else 1 end as nats_{{ loop.index }}
        {% endfor %}
    from {{ ref('int_chart_volumes') }}
    where not is_baseline and expected > 0
)

select
    watched.stream_id,
    streams.period_date,
    streams.workday,
    streams.signal,
    streams.subject,
    watched.stage_id,
    streams.segment,
    streams.channel,
    streams.team,
    watched.weight,
    streams.n,
    streams.observed,
    streams.expected,
    {% for size in range(1, 4) %}
        streams.nats_{{ size }} / watched.dispersion as nats_{{ size }}{{ ',' if not loop.last }}
    {% endfor %}
from streams
inner join {{ ref('int_chart_streams') }} as watched
    on
        streams.period_date = watched.period_date
        and streams.signal = watched.signal
        and streams.subject = watched.subject
        and streams.segment = watched.segment
        and streams.channel = watched.channel
        and streams.team = watched.team
