{{ config(materialized='table') }}
{%- do indicator_refs() %}

-- What is declared of each indicator, from the YAML beside it.
with declared as (
    {%- for node in indicators() %}
        {%- set meta = node.config.meta %}
        select
            '{{ indicator_name(node) }}' as indicator,
            '{{ meta.get("label", indicator_name(node) | replace("_", " ")) | replace("'", "''") }}' as label,
            '{{ meta["question"] | replace("'", "''") }}' as question,
            '{{ meta["unit"] | replace("'", "''") }}' as unit,
            '{{ meta["influence"] }}' as influence,
            '{{ meta["direction"] }}' as direction,
            cast({{ "'" ~ meta.get('stages') | join(', ') ~ "'" if meta.get('stages') else 'null' }} as {{ dbt.type_string() }}) as stages,
            '{{ meta["owner"] }}' as owner,
            cast({{ meta.get('norm', 'null') }} as double) as declared_norm,
            cast({{ meta.get('default', 'null') }} as double) as default_value,
            cast({{ "'" ~ meta.get('needs') ~ "'" if meta.get('needs') else 'null' }} as {{ dbt.type_string() }}) as needs,
            cast({{ "'" ~ meta.get('act') ~ "'" if meta.get('act') else 'null' }} as {{ dbt.type_string() }}) as act
        {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from declared
