{# How many of the delays have passed from due_at on. #}
{% macro delays_within(until) -%}
    case
        {%- for days in var('loss_delays') | sort(reverse=true) %}
            when {{ until }} > {{ dbt.dateadd('day', days, 'due_at') }} then {{ loop.revindex }}
        {%- endfor %}
        else 0
    end
{%- endmacro %}

{# Of the losses at the odds that the weight makes of those in time, the part that would not have been without it. #}
{% macro share_avoidable(weight) -%}
    greatest(0, 1 - loss_in_time - (1 - loss_in_time) * exp(-({{ weight }})))
{%- endmacro %}

{# The steps of the journey map that are done when a person who decides is on the deal. #}
{% macro decider_steps() -%}
    select lines.step
    from {{ ref('journey_map') }} as lines
    inner join {{ ref('journey_evidence') }} as ways on lines.evidence = ways.evidence
    where ways.kind = 'contact' and ways.name = 'decision_maker'
{%- endmacro %}

{# A share as a person reads it. #}
{% macro percent(share) -%}
    cast(cast(round(100 * {{ share }}) as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}) || '%'
{%- endmacro %}

{# What is known of why a deal was lost: what was found in the facts, else what was stated and the facts do not deny. #}
{% macro loss_reason(of='') -%}
    case
        when {{ of }}found_cause <> 'unknown' then {{ of }}found_cause
        when coalesce({{ of }}is_reason_supported, true) then {{ of }}stated_reason_kind
        else 'unknown'
    end
{%- endmacro %}
