-- Amount and owner have events of their own. So have the company's own fields, by their ids: those are read that
-- dbt_project.yml knows by id.
{% set custom = {} %}
{% for column in card_columns() if custom_field_of('amocrm', 'deals', column) is number %}
    {% do custom.update({column: custom_field_of('amocrm', 'deals', column)}) %}
{% endfor %}

with source as (
    {{ current_versions(source('amocrm', 'events')) }}
),

edits as (
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
    where
        entity_type = 'lead'
        and type in (
            'sale_field_changed',
            'entity_responsible_changed'
            {% for field in custom.values() %}, 'custom_field_{{ field }}_value_changed'{% endfor %}
        )
),

valued as (
    select
        *,
        coalesce(
            {{ json_text('value_before', '$[0].sale_field_value.sale') }},
            {{ json_text('value_before', '$[0].responsible_user.id') }},
            {{ json_text('value_before', '$[0].custom_field_value.text') }}
        ) as old_text,
        coalesce(
            {{ json_text('value_after', '$[0].sale_field_value.sale') }},
            {{ json_text('value_after', '$[0].responsible_user.id') }},
            {{ json_text('value_after', '$[0].custom_field_value.text') }}
        ) as new_text
    from edits
),

renamed as (
    select
        -- ids
        'amocrm:' || entity_id as deal_id,
        'amocrm:' || nullif(created_by, '0') as changed_by_id,

        -- attributes
        'amocrm' as crm,
        field,
        case
            when field = 'expected_close_date' then cast({{ day_of('old_text') }} as {{ dbt.type_string() }}) else old_text
        end as old_value,
        case
            when field = 'expected_close_date' then cast({{ day_of('new_text') }} as {{ dbt.type_string() }}) else new_text
        end as new_value,

        -- booleans
        cast(null as boolean) as is_bulk_edit, -- the log has no word on it

        -- timestamps, UTC
        created_at as changed_at
    from valued
)

select * from renamed
