{#
    Incremental models whose unit is the deal: a night rebuilds the deals that a new load touched, whole,
    and leaves all others. Every row carries the newest load at its build as _load_id.

        config(materialized='incremental', incremental_strategy='by_deal')
        ... from <canonical>          where {{ is_touched('deal_id') }}
        ... from <another by_deal>    where {{ is_newly_built() }}

    On a first or full build both are true. A deal that yields no rows any more loses those it had. A table that
    knows deals by their number says so: by='deal_number'. One in which most deals have no rows says so too:
    sparse=true. Its newest rows may be old, so they do not tell how far it is built.

    Where time alone changes a row, as a deadline that passes, a night adds the deals that have such rows: the best
    example is fct_journey_steps.
#}
{% macro is_touched(deal_id) -%}
    {%- set touched, clock = ref('int_deals_touched'), ref('stg_as_of') -%}
    {%- if is_incremental() -%}
        {{ deal_id }} in ({{ _touched_deals(touched, this, deal_id.split('.')[-1]) }})
    {%- else -%} true {%- endif -%}
{%- endmacro %}

{# Both name all that an incremental build will read, so that dbt knows of it before there is a table to add to. #}

{# The number is asked for first: the planner pushes a constant below windows and joins, a query it does not. #}
{% macro is_newly_built(load_id='_load_id') -%}
    {%- set touched, clock = ref('int_deals_touched'), ref('stg_as_of') -%}
    {%- if is_incremental() -%} {{ load_id }} > {{ newest_load(this) }} {%- else -%} true {%- endif -%}
{%- endmacro %}

{% macro get_incremental_by_deal_sql(arg_dict) %}
    {%- set columns = arg_dict.dest_columns | map(attribute='quoted') | join(', ') %}
    {%- set key = config.get('by', 'deal_id') %}
    delete from {{ arg_dict.target_relation }}
    where {{ key }} in (
        {{ _touched_deals(ref('int_deals_touched'), arg_dict.target_relation, key) }}
        union all
        select {{ key }} from {{ arg_dict.temp_relation }}
    );

    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{% endmacro %}

{% macro _touched_deals(touched, built, key='deal_id') -%}
    select {{ key }} from {{ touched }} where load_id > {{ newest_load(built) }}
{%- endmacro %}

{# The newest load that a by_deal table was built from. A sparse one was built when the others were: before the night's
   work list begins. #}
{% macro newest_load(built) -%}
    {%- if not execute -%} 0
    {%- elif config.get('sparse') -%}
        {{ run_query(
            'select coalesce(min(load_id) - 1, (select max(newest_load_id) from ' ~ ref('stg_as_of') ~ ')) from '
            ~ ref('int_deals_touched')
        ).columns[0].values()[0] }}
    {%- else -%}
        {{ run_query('select coalesce(max(_load_id), 0) from ' ~ built).columns[0].values()[0] }}
    {%- endif -%}
{%- endmacro %}

{# The newest load that every by_deal table with rows was built from: deals touched before it are up to date. #}
{% macro oldest_build() -%}
    {%- set loads = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') -%}
            {%- if node.config.incremental_strategy == 'by_deal' -%}
                {%- set built = adapter.get_relation(node.database, node.schema, node.alias) -%}
                {%- set load = newest_load(built) | trim | int if built and not node.config.get('sparse') else 0 -%}
                {%- if load -%} {%- do loads.append(load) -%} {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {#- an empty table, of a CRM that logs no such thing, has no load of its own and would keep every deal on the list #}
    {{ loads | select | min | default(0) if loads else 'null' }}
{%- endmacro %}
