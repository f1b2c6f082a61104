with source as (
    {{ current_versions(source('generic', 'deal_contacts')) }}
),

renamed as (
    select
        -- ids
        'generic:' || deal_id as deal_id,
        'generic:' || contact_id as contact_id,

        -- attributes
        'generic' as crm,
        role,

        -- booleans
        coalesce(is_decision_maker, false) as is_decision_maker,

        -- timestamps, UTC
        added_at
    from source
)

select * from renamed
