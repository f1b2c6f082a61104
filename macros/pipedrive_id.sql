{# An id as Pipedrive gives it: plain, or within an object in pages of version 1. #}
{% macro pipedrive_id(column) -%}
    case
        when {{ column }} like {{ "'{%'" }}
            then coalesce({{ json_text(column, '$.value') }}, {{ json_text(column, '$.id') }})
        else {{ column }}
    end
{%- endmacro %}
