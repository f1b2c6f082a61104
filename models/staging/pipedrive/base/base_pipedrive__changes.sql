{{ config(materialized='table') }}

-- The change log of deals in one form. REST pages hold an entry within `data`, among entries that are no change of a
-- deal; loaders give it as columns, wide or long. The long form has no old value: it is the new one of the change
-- before. Entries of one second come in the order of their ids. A table: moves and changes are read from it, and it looks at the
-- whole log of a deal.
with source as (
    {{ current_versions(source('pipedrive', 'deal_flow')) }}
),

entries as (
    select
        coalesce(item_id, {{ json_text('data', '$.item_id') }}) as deal_id,
        coalesce(field_key, {{ json_text('data', '$.field_key') }}) as field_key,
        coalesce(old_value, {{ json_text('data', '$.old_value') }}) as old_value,
        coalesce(new_value, {{ json_text('data', '$.new_value') }}) as new_value,
        coalesce(user_id, {{ json_text('data', '$.user_id') }}) as changed_by_id,
        coalesce(
            is_bulk_update_flag, {{ json_text('data', '$.is_bulk_update_flag') }} in ('true', '1')
        ) as is_bulk_edit,
        coalesce(log_time, {{ utc_from_text(json_text('data', '$.log_time')) }}) as changed_at,
        try_cast(coalesce(id, {{ json_text('data', '$.id') }}) as bigint) as entry_number
    from source
    where object is null or object = 'dealChange'
)

select
    deal_id,
    field_key,
    coalesce(old_value, lag(new_value) over log_of_field) as old_value,
    new_value,
    changed_by_id,
    is_bulk_edit,
    changed_at,
    entry_number
from entries
where deal_id is not null and field_key is not null and changed_at is not null
window log_of_field as (
    partition by deal_id, field_key order by changed_at, entry_number, old_value, new_value
)
