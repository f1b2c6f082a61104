-- The history has a row for each value, so what a property was before is in the row before. What a deal was created
-- with is no change. HubSpot says of some edits that they were of many deals at once; of others it has no word.
{% set fields = {'amount': 'amount', 'hubspot_owner_id': 'owner_id', 'closed_lost_reason': 'loss_reason'} %}
with history as (
    select
        log_rows.deal_id,
        case log_rows.name
            {% for name, field in fields.items() %}
                when '{{ name }}' then '{{ field }}'
            {% endfor %}
        end as field,
        log_rows.value,
        log_rows.changed_at,
        log_rows.source,
        log_rows.source_id,
        row_number() over (
            partition by log_rows.deal_id, log_rows.name order by log_rows.changed_at, log_rows.value
        ) = 1
        and log_rows.changed_at <= {{ dbt.dateadd('minute', 1, 'deals.property_createdate') }} as is_of_creation
    from {{ ref('base_hubspot__property_history') }} as log_rows
    inner join (
        {{ current_versions(source('hubspot', 'deal')) }}
    ) as deals on log_rows.deal_id = deals.deal_id
    where log_rows.name in ('{{ fields.keys() | join("', '") }}')
    union all
    select
        deal_id,
        'expected_close_date' as field,
        cast(close_date as {{ dbt.type_string() }}) as value,
        changed_at,
        source,
        source_id,
        is_of_creation
    from {{ ref('base_hubspot__close_dates') }}
),

changes as (
    select
        *,
        lag(value) over (partition by deal_id, field order by changed_at, value) as old_value
    from history
)

select
    -- ids
    'hubspot:' || changes.deal_id as deal_id,
    'hubspot:' || coalesce(users.owner_id, changes.source_id) as changed_by_id,

    -- attributes
    'hubspot' as crm,
    changes.field,
    changes.old_value,
    changes.value as new_value,

    -- booleans
    case when upper(changes.source) like '%BULK%' or upper(changes.source) in ('IMPORT', 'BATCH_UPDATE') then true end
        as is_bulk_edit,

    -- timestamps, UTC
    changes.changed_at
from changes
left join {{ ref('base_hubspot__users') }} as users on changes.source_id = users.source_id
where not changes.is_of_creation and changes.value is distinct from changes.old_value
