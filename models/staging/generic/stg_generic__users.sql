with source as (
    {{ current_versions(source('generic', 'users')) }}
),

renamed as (
    select
        -- ids
        'generic:' || user_id as user_id,
        'generic:' || manager_id as manager_id,

        -- attributes
        'generic' as crm,
        user_name,
        team,

        -- booleans
        coalesce(is_active, true) as is_active
    from source
)

select * from renamed
