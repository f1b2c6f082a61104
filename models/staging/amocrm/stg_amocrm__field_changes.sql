-- Amount and owner have events of their own. So have the company's own fields, by their ids: those are read that
-- dbt_project.yml knows by id.
{% set custom = {} %}
{% for column in card_columns() if custom_field_of('amocrm', 'deals', column) is number %}
    {% do custom.update({column: custom_field_of('amocrm', 'deals', column)}) %}
{% endfor %}

with source as (
    {{ current_versions(source('amocrm', 'events')) }}
),

changes as (
    select
        *,
        case type
            when 'sale_field_changed' then 'amount'
            when 'entity_responsible_changed' then 'owner_id'
            {% for column, field in custom.items() %}
                when 'custom_field_{{ field }}_value_changed' then '{{ column }}'
            {% endfor %}
        end as field
    from source
    where entity_type = 'lead'
),

valued as (
    select
        *,
        {% for side in ['before', 'after'] %}
            case field
                when 'amount' then {{ json_text('value_' ~ side, '$[0].sale_field_value.sale') }}
                when 'owner_id' then {{ json_text('value_' ~ side, '$[0].responsible_user.id') }}
                else {{ json_text('value_' ~ side, '$[0].custom_field_value.text') }}
            end as text_{{ side }}{{ ',' if not loop.last }}
        {% endfor %}
    from changes
    where field is not null
),

renamed as (
    select
        -- ids
        'amocrm:' || entity_id as deal_id,
        'amocrm:' || nullif(created_by, '0') as changed_by_id,

        -- attributes
        'amocrm' as crm,
        field,
        {% for side, name in {'before': 'old_value', 'after': 'new_value'}.items() %}
            case
                when field = 'expected_close_date'
                    then cast({{ day_of('text_' ~ side) }} as {{ dbt.type_string() }})
                else text_{{ side }}
            end as {{ name }},
        {% endfor %}

        -- booleans
        cast(null as boolean) as is_bulk_edit, -- the log has no word on it

        -- timestamps, UTC
        created_at as changed_at
    from valued
)

select * from renamed
