{# Of tables that are kept from night to night, to which a new version of their model may add columns. #}

{# Whether the table has a column already: one that was added of late is there from the next night on. #}
{% macro has_column(relation, name) -%}
    {{ return(name in adapter.get_columns_in_relation(relation) | map(attribute='name')) }}
{%- endmacro %}

{# A hook that adds the columns that the model declares and its table lacks. It stands before the night's transaction:
   DuckDB refuses one that deletes rows of a table and then alters it. #}
{% macro add_new_columns() -%}
    {%- if execute and is_incremental() -%}
        {%- for column in model.columns.values() if not has_column(this, column.name) %}
            alter table {{ this }} add column {{ column.name }} {{ column.data_type }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
