{# JSON that landed as text, because a CRM nests what others give as columns. Text that is no JSON yields null. #}

{# One value of it, as text. #}
{% macro json_text(json, path) -%} {{ return(adapter.dispatch('json_text')(json, path)) }} {%- endmacro %}

{% macro default__json_text(json, path) -%} get_json_object({{ json }}, '{{ path }}') {%- endmacro %}

{% macro duckdb__json_text(json, path) -%}
    case when json_valid({{ json }}) then json_extract_string({{ json }}, '{{ path }}') end
{%- endmacro %}

{# The elements of a list in it, one row each, as text; in the select list of its own query. An empty list that stands
   for an empty object, or an object for a list, has no elements. #}
{% macro json_each(json, path) -%} {{ return(adapter.dispatch('json_each')(json, path)) }} {%- endmacro %}

{% macro default__json_each(json, path) -%}
    explode(from_json(get_json_object({{ json }}, '{{ path }}'), 'array<string>'))
{%- endmacro %}

{% macro duckdb__json_each(json, path) -%}
    cast(unnest(case when json_valid({{ json }}) then json_extract({{ json }}, '{{ path }}[*]') end) as varchar)
{%- endmacro %}
