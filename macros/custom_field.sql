{#
    What a company keeps in a field of its own making, under the name that everything else knows it by. dbt_project.yml
    says which field that is, by CRM and entity; where it says nothing, the value is null.

        vars:
          custom_fields:
            amocrm:
              deals: {channel: 684321, competitor: Конкурент}    a field's id, name or code
            bitrix24:
              deals: {loss_reason: UF_CRM_1650000000}            the column's name

    A field given by its id is known in the CRM's log too.
#}
{% macro custom_field_of(crm, entity, column) -%}
    {{ return(((var('custom_fields') or {}).get(crm) or {}).get(entity, {}).get(column)) }}
{%- endmacro %}

{# The first element of a list within JSON that has a value at one of its keys. #}
{% macro json_item_where(json, keys, value) -%}
    {{ return(adapter.dispatch('json_item_where')(json, keys, value)) }}
{%- endmacro %}

{% macro default__json_item_where(json, keys, value) -%}
    filter(
        from_json({{ json }}, 'array<string>'),
        item -> {% for key in keys %}{{ json_text('item', '$.' ~ key) }} <=> '{{ value }}'{{ ' or ' if not loop.last }}{% endfor %}
    )[0]
{%- endmacro %}

{% macro duckdb__json_item_where(json, keys, value) -%}
    list_filter(
        case when json_valid({{ json }}) then json_extract({{ json }}, '$[*]') end,
        lambda item: {% for key in keys %}
            coalesce(json_extract_string(item, '$.{{ key }}') = '{{ value }}', false){{ ' or ' if not loop.last }}
        {%- endfor %}
    )[1]
{%- endmacro %}

{# Of amoCRM: a list of fields, each with a list of values, of which the first counts. #}
{% macro amocrm_field(entity, column) -%}
    {%- set field = custom_field_of('amocrm', entity, column) -%}
    {%- if field is none -%} cast(null as {{ dbt.type_string() }})
    {%- else -%}
        {%- set item = json_item_where('custom_fields_values', ['field_id', 'field_name', 'field_code'], field) -%}
        nullif(trim({{ json_text(item, '$.values[0].value') }}), '')
    {%- endif -%}
{%- endmacro %}

{# Of Bitrix24: a column that the contract does not know. #}
{% macro bitrix24_field(entity, column) -%}
    {%- set field = custom_field_of('bitrix24', entity, column) -%}
    {%- if field is none -%} cast(null as {{ dbt.type_string() }})
    {%- else -%} nullif(trim({{ json_text('_extra', '$."' ~ field ~ '"') }}), '')
    {%- endif -%}
{%- endmacro %}

{# A day as fields and exports hold it: 2026-01-31, with or without a time, whose offset does not matter; 31.01.2026;
   seconds since 1970 at a midnight of the office, which is at most twelve hours from one of UTC. #}
{% macro day_of(text) -%}
    coalesce(
        try_cast(substring({{ text }}, 1, 10) as date),
        try_cast(
            substring({{ text }}, 7, 4) || '-' || substring({{ text }}, 4, 2) || '-' || substring({{ text }}, 1, 2) as date
        ),
        cast(
            {{ dbt.dateadd('second', '43200 + try_cast(' ~ text ~ ' as bigint)', "cast('1970-01-01' as timestamp)") }} as date
        )
    )
{%- endmacro %}

{# A name as people know it; where several have it within the columns given, with the id that tells them apart. #}
{% macro distinct_name(name, id, within) -%}
    case
        when count(*) over (partition by {{ within }}, {{ name }}) > 1 then {{ name }} || ' (' || {{ id }} || ')'
        else {{ name }}
    end
{%- endmacro %}
