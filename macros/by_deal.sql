{#
    Incremental models whose unit is the deal: a night rebuilds the deals that a new load touched, whole,
    and leaves all others. Every row carries the newest load at its build as _load_id.

        config(materialized='incremental', incremental_strategy='by_deal')
        ... from <canonical>          where {{ is_touched('deal_id') }}
        ... from <another by_deal>    where {{ is_newly_built() }}

    On a first or full build both are true. A deal that yields no rows any more loses those it had.
#}
{% macro is_touched(deal_id) -%}
    {%- set touched = ref('int_deals_touched') -%}
    {%- if is_incremental() -%} {{ deal_id }} in ({{ _touched_deals(touched, this) }}) {%- else -%} true {%- endif -%}
{%- endmacro %}

{# The number is asked for first: the planner pushes a constant below windows and joins, a query it does not. #}
{% macro is_newly_built(load_id='_load_id') -%}
    {%- set touched = ref('int_deals_touched') -%}
    {%- if is_incremental() -%} {{ load_id }} > {{ newest_load(this) }} {%- else -%} true {%- endif -%}
{%- endmacro %}

{% macro get_incremental_by_deal_sql(arg_dict) %}
    {%- set columns = arg_dict.dest_columns | map(attribute='quoted') | join(', ') %}
    delete from {{ arg_dict.target_relation }}
    where deal_id in ({{ _touched_deals(ref('int_deals_touched'), arg_dict.target_relation) }});

    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{% endmacro %}

{% macro _touched_deals(touched, built) -%}
    select deal_id from {{ touched }} where load_id > {{ newest_load(built) }}
{%- endmacro %}

{# The newest load that a by_deal table was built from. #}
{% macro newest_load(built) -%}
    {%- if execute -%}
        {{ run_query('select coalesce(max(_load_id), 0) from ' ~ built).columns[0].values()[0] }}
    {%- else -%} 0 {%- endif -%}
{%- endmacro %}

{# The newest load that every by_deal table there is was built from: deals touched before it are up to date. #}
{% macro oldest_build() -%}
    {%- set loads = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
            {%- if node.config.incremental_strategy == 'by_deal' -%}
                {%- set built = adapter.get_relation(node.database, node.schema, node.alias) -%}
                {%- if built -%} {%- do loads.append(newest_load(built) | trim | int) -%} {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {#- an empty table, of a CRM that logs no such thing, has no load of its own and would keep every deal on the list #}
    {{ loads | select | min | default(0) if loads else 'null' }}
{%- endmacro %}
