{#
    min_by or max_by (`pick`) that gives null where the row picked has none: DuckDB's pass over nulls and give another
    row's value. `nothing` is a value that no row has.
#}
{% macro null_by(pick, value, order, nothing) -%}
    nullif({{ pick }}(coalesce({{ value }}, {{ nothing }}), {{ order }}), {{ nothing }})
{%- endmacro %}
