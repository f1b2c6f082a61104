{# The streams of each signal: what a chart of it is drawn for. Families share the budget of false alarms by what a
   miss costs; harm is where the odds go when it gets worse. #}
{% macro chart_signals() -%}
    {{ return({
        'loss_rate': {'share': 0.30, 'harm': 'up', 'groups': ['', 'segment', 'channel', 'team']},
        'lead_quality': {'share': 0.10, 'harm': 'up', 'groups': ['channel']},
        'task_timeliness': {'share': 0.25, 'harm': 'down', 'groups': ['', 'segment', 'team']},
        'stage_speed': {'share': 0.08, 'harm': 'down', 'groups': ['', 'segment', 'team']},
        'inbound_mix': {'share': 0.12, 'harm': 'down', 'groups': ['segment']},
        'inbound_volume': {'share': 0.12, 'harm': 'down', 'groups': ['', 'channel']},
        'activity_integrity': {'share': 0.03, 'harm': 'down', 'groups': ['', 'team']},
    }) }}
{%- endmacro %}

{# By how much odds (of counts: rates) are worse in the three faults that a chart bets on. #}
{% macro chart_sizes(signal) -%}
    {%- if signal == 'inbound_volume' -%} {{ return([0.85, 0.7, 0.5]) }}
    {%- elif chart_signals()[signal]['harm'] == 'up' -%} {{ return([1.3, 1.6, 2.2]) }}
    {%- else -%} {{ return([0.75, 0.5, 0.25]) }}
    {%- endif -%}
{%- endmacro %}

{# The name of a stream, from the columns that name it. #}
{% macro chart_stream_id() -%} signal || '|' || subject || '|' || segment || '|' || channel || '|' || team {%- endmacro %}

{# Whether a month lies in the baseline of a period: the two years before it. #}
{% macro in_chart_baseline(month, period) -%}
    {{ month }} < {{ period }} and {{ month }} >= {{ dbt.dateadd('month', -24, period) }}
{%- endmacro %}
