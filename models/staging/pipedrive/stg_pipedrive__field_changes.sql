-- Pipedrive marks an edit of many deals at once: its own word is kept.
{% set fields = {
    'value': 'amount', 'expected_close_date': 'expected_close_date', 'user_id': 'owner_id', 'org_id': 'account_id',
    'channel': 'channel', 'lost_reason': 'loss_reason'
} %}
select
    -- ids
    'pipedrive:' || deal_id as deal_id,
    'pipedrive:' || changed_by_id as changed_by_id,

    -- attributes
    'pipedrive' as crm,
    case field_key
        {% for name, field in fields.items() %}
            when '{{ name }}' then '{{ field }}'
        {% endfor %}
    end as field,
    old_value,
    new_value,

    -- booleans
    is_bulk_edit,

    -- timestamps, UTC
    changed_at
from {{ ref('base_pipedrive__changes') }}
where field_key in ('{{ fields.keys() | join("', '") }}')
