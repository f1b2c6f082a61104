{# A text as a number; null where it is none. #}
{% macro number(text) -%}
    try_cast({{ text }} as double)
{%- endmacro %}

{# A number in words, without its fraction. #}
{% macro whole(value) -%}
    cast(cast(round({{ value }}) as bigint) as {{ dbt.type_string() }})
{%- endmacro %}
