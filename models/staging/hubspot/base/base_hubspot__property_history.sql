-- The history of properties in one form: a loader's table, or within each deal in REST pages.
{% set properties = ['dealstage', 'amount', 'closedate', 'hubspot_owner_id', 'closed_lost_reason'] %}
with deals as (
    {{ current_versions(source('hubspot', 'deal')) }}
),

nested as (
    {% for property in properties %}
        select
            deal_id,
            '{{ property }}' as name,
            {{ json_each('properties_with_history', '$.' ~ property) }} as entry
        from deals
        where properties_with_history is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    deal_id,
    name,
    value,
    timestamp as changed_at,
    source,
    source_id
from ({{ current_versions(source('hubspot', 'deal_property_history')) }}) as listed
union all
select
    deal_id,
    name,
    {{ json_text('entry', '$.value') }} as value,
    {{ utc_from_text(json_text('entry', '$.timestamp')) }} as changed_at,
    {{ json_text('entry', '$.sourceType') }} as source,
    {{ json_text('entry', '$.sourceId') }} as source_id
from nested
