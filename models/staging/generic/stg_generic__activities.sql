with source as (
    {{ current_versions(source('generic', 'activities')) }}
),

renamed as (
    select
        -- ids
        'generic:' || activity_id as activity_id,
        'generic:' || deal_id as deal_id,
        'generic:' || owner_id as owner_id,
        'generic:' || contact_id as contact_id,

        -- attributes
        'generic' as crm,
        type as activity_type,
        direction,
        outcome,

        -- timestamps, UTC
        occurred_at,
        coalesce(logged_at, occurred_at) as logged_at
    from source
)

select * from renamed
