{# Within a group, the kind of the earliest proof. Of two in one moment the kind named first here, so that the same
   extracts always tell the same. #}
{% macro first_proven_by(kind, proven_at) -%}
    case min({{ proven_at }})
        {%- for each in ['task', 'contact', 'won', 'stage_reached', 'revenue_event', 'activity'] %}
            when min(case when {{ kind }} = '{{ each }}' then {{ proven_at }} end) then '{{ each }}'
        {%- endfor %}
    end
{%- endmacro %}
