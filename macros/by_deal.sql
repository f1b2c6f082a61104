{#
    Incremental models whose unit is the deal: a night rebuilds the deals that a new load touched, whole,
    and leaves all others. Every row carries the newest load at its build as _load_id.

        config(materialized='incremental', incremental_strategy='by_deal')
        ... from <canonical>          where {{ is_touched('deal_id') }}
        ... from <another by_deal>    where {{ is_newly_built() }}

    On a first or full build both are true. A deal that yields no rows any more loses those it had.
#}
{% macro is_touched(deal_id) -%}
    {%- set loads = ref('crm_deal_loads') -%}
    {%- if is_incremental() -%} {{ deal_id }} in ({{ _touched_deals(loads, this) }}) {%- else -%} true {%- endif -%}
{%- endmacro %}

{# The number is asked for first: the planner pushes a constant below windows and joins, a query it does not. #}
{% macro is_newly_built(load_id='_load_id') -%}
    {%- if is_incremental() -%} {{ load_id }} > {{ _newest_load(this) }} {%- else -%} true {%- endif -%}
{%- endmacro %}

{% macro get_incremental_by_deal_sql(arg_dict) %}
    {%- set columns = arg_dict.dest_columns | map(attribute='quoted') | join(', ') %}
    delete from {{ arg_dict.target_relation }}
    where deal_id in ({{ _touched_deals(ref('crm_deal_loads'), arg_dict.target_relation) }});

    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{% endmacro %}

{% macro _touched_deals(loads, built) -%}
    select deal_id from {{ loads }} where load_id > {{ _newest_load(built) }}
{%- endmacro %}

{% macro _newest_load(built) -%}
    {%- if execute -%}
        {{ run_query('select coalesce(max(_load_id), 0) from ' ~ built).columns[0].values()[0] }}
    {%- else -%} 0 {%- endif -%}
{%- endmacro %}
