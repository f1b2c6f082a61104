with source as (
    {{ current_versions(source('generic', 'field_changes')) }}
),

renamed as (
    select
        -- ids
        'generic:' || deal_id as deal_id,
        'generic:' || changed_by as changed_by_id,

        -- attributes
        'generic' as crm,
        field,
        old_value,
        new_value,

        -- booleans
        cast(null as boolean) as is_bulk_edit, -- the layout has no word on it

        -- timestamps, UTC
        changed_at
    from source
)

select * from renamed
