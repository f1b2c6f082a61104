with source as (
    {{ current_versions(ref('base_bitrix24__deals')) }}
),

renamed as (
    select
        -- ids
        'bitrix24:' || deal_id as deal_id,
        'bitrix24:' || company_id as account_id,
        owner_id,

        -- attributes
        'bitrix24' as crm,
        title as deal_name,
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
        false as is_deleted, -- what is deleted is no longer in the answer

        -- timestamps, UTC
        created_at,
        expected_close_date,
        closed_at,
        updated_at,
        _extracted_at
    from source
)

select * from renamed
