{# A property as HubSpot gives it: a column, or within `properties` in REST pages. #}
{% macro hubspot_property(name, data_type='varchar') -%}
    {%- set nested = "nullif(" ~ json_text('properties', '$.' ~ name) ~ ", '')" -%}
    {%- if data_type == 'timestamp' -%} {%- set nested = utc_from_text(nested) -%}
    {%- elif data_type != 'varchar' -%} {%- set nested = 'try_cast(' ~ nested ~ ' as ' ~ data_type ~ ')' -%}
    {%- endif -%}
    coalesce(property_{{ name }}, {{ nested }})
{%- endmacro %}

{# What an object is associated with in REST pages: ids, one row each. #}
{% macro hubspot_associations(raw, id, other) -%}
    select
        id,
        {{ json_text('association', '$.id') }} as other_id,
        {{ json_text('association', '$.type') }} as association_type,
        _load_id,
        _extracted_at,
        _superseded_at,
        _superseded_load_id
    from (
        select
            {{ id }} as id,
            {{ json_each('associations', '$.' ~ other ~ '.results') }} as association,
            _load_id,
            _extracted_at,
            _superseded_at,
            _superseded_load_id
        from {{ raw }}
        where associations is not null
    ) as associated
{%- endmacro %}
