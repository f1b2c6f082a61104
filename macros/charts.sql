{# The signals, and the groups that a chart of each is drawn for. They share the budget of false alarms by what a miss
   costs and by how long it takes to be seen: steps and stages tell within weeks on any share. harm: where the odds go
   when it gets worse. margin: odds within so much of what is expected are usual; for volume
   it is the total's alone, since what makes a department's demand wander moves all channels at once. #}
{% macro chart_signals() -%}
    {{ return({
        'loss_rate': {'share': 0.30, 'harm': 'up', 'margin': 1.10, 'groups': ['', 'segment', 'channel', 'team']},
        'lead_quality': {'share': 0.10, 'harm': 'up', 'margin': 1.05, 'groups': ['channel']},
        'task_timeliness': {'share': 0.16, 'harm': 'down', 'margin': 1.10, 'groups': ['', 'segment', 'team']},
        'stage_speed': {'share': 0.06, 'harm': 'down', 'margin': 1.10, 'groups': ['', 'segment', 'team']},
        'inbound_mix': {'share': 0.13, 'harm': 'down', 'margin': 1.05, 'groups': ['segment']},
        'inbound_volume': {'share': 0.22, 'harm': 'down', 'margin': 1.05, 'groups': ['', 'channel']},
        'activity_integrity': {'share': 0.03, 'harm': 'down', 'margin': 1.10, 'groups': ['', 'team']},
    }) }}
{%- endmacro %}

{# By how much odds (of counts: rates) are worse in the three faults that a chart bets on. A quarter fewer deals that pass
   a stage are odds of a loss 1.8 times what they were where half are lost, and 6 times where a twentieth is. #}
{% macro chart_sizes(signal) -%}
    {%- if signal == 'inbound_volume' -%} {{ return([0.85, 0.7, 0.5]) }}
    {%- elif signal == 'loss_rate' -%} {{ return([1.3, 2, 4]) }}
    {%- elif chart_signals()[signal]['harm'] == 'up' -%} {{ return([1.3, 1.6, 2.2]) }}
    {%- else -%} {{ return([0.75, 0.5, 0.25]) }}
    {%- endif -%}
{%- endmacro %}

{# How much likelier y of n are if the odds are so many times the usual, in nats. #}
{% macro chart_nats(size) -%} y * ln({{ size }}) - n * ln((1 + {{ size }} * odds) / (1 + odds)) {%- endmacro %}

{# Whether two rows are of one cell, of which the baseline expects one thing. #}
{% macro is_same_chart_cell(a, b) -%}
    {%- for column in ['signal', 'subject', 'segment', 'channel', 'team', 'age_bin', 'season'] -%}
        {{ a }}.{{ column }} = {{ b }}.{{ column }} {{ 'and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The name of a stream, from the columns that name it. #}
{% macro chart_stream_id() -%} signal || '|' || subject || '|' || segment || '|' || channel || '|' || team {%- endmacro %}

{# Whether a month lies in the baseline of a period: the two years before it. #}
{% macro in_chart_baseline(month, period) -%}
    {{ month }} < {{ period }} and {{ month }} >= {{ dbt.dateadd('month', -24, period) }}
{%- endmacro %}

{# What the sum over all streams must reach: the workdays for which the department may stay without a false alarm. #}
{% macro chart_threshold() -%} {{ 260 * var('alarm_years') }} {%- endmacro %}

{# Two streams may tell of one incident. What comes in and what becomes of it are apart; so are two groups of a kind,
   and two stages, unless the group is the same. Shares of segments sum to one, so all of them move together. #}
{% macro is_one_incident(a, b) -%}
    case
        when {{ a }}.topic <> {{ b }}.topic then false
        when {{ a }}.signal = 'inbound_mix' then true
        when {{ a }}.group_id = {{ b }}.group_id and {{ a }}.group_id <> '' then true
        when {{ a }}.group_kind = {{ b }}.group_kind and {{ a }}.group_id <> {{ b }}.group_id then false
        else
            coalesce({{ a }}.stage_id, {{ b }}.stage_id, '') = coalesce({{ b }}.stage_id, {{ a }}.stage_id, '')
    end
{%- endmacro %}

{# What is_one_incident compares, from the columns that name a stream. #}
{% macro chart_incident_keys() -%}
    case when signal in ('inbound_mix', 'inbound_volume', 'activity_integrity') then signal else 'process' end as topic,
    case
        when segment <> '' then 'segment'
        when channel <> '' then 'channel'
        when team <> '' then 'team'
        else ''
    end as group_kind,
    segment || channel || team as group_id
{%- endmacro %}
