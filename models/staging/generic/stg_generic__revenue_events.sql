with source as (
    {{ current_versions(source('generic', 'revenue_events')) }}
),

renamed as (
    select
        -- ids
        'generic:' || deal_id as deal_id,

        -- attributes
        'generic' as crm,
        kind,
        currency,

        -- numbers
        amount,

        -- timestamps, UTC
        occurred_at
    from source
)

select * from renamed
