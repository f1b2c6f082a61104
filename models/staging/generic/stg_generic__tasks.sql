with source as (
    {{ current_versions(source('generic', 'tasks')) }}
),

renamed as (
    select
        -- ids
        'generic:' || task_id as task_id,
        'generic:' || deal_id as deal_id,
        'generic:' || owner_id as owner_id,

        -- attributes
        'generic' as crm,
        task_type,

        -- booleans
        coalesce(is_completed, completed_at is not null) as is_completed,

        -- timestamps, UTC
        created_at,
        due_at,
        coalesce(original_due_at, due_at) as original_due_at,
        completed_at
    from source
)

select * from renamed
