with source as (
    {{ current_versions(source('generic', 'deals')) }}
),

renamed as (
    select
        -- ids
        'generic:' || deal_id as deal_id,
        'generic:' || account_id as account_id,
        'generic:' || owner_id as owner_id,

        -- attributes
        'generic' as crm,
        deal_name,
        pipeline,
        stage,
        status,
        currency,
        channel,
        product,
        loss_reason,
        competitor,

        -- numbers
        amount,
        margin_rate,

        -- booleans
        coalesce(is_deleted, false) as is_deleted,

        -- timestamps, UTC
        created_at,
        expected_close_date,
        closed_at,
        updated_at,
        _extracted_at
    from source
)

select * from renamed
