-- What the nightly extracts saw of each deal: every version that was ever in force, not the newest alone. Bitrix24 logs
-- no change of a field, so amounts, close dates and owners of the past are known by these alone.
with source as (
    select *
    from {{ ref('base_bitrix24__deals') }}
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        -- two files of one moment: the later one holds
        and (_superseded_at is null or _superseded_at > _extracted_at)
),

renamed as (
    select
        -- ids
        'bitrix24:' || deal_id as deal_id,
        'bitrix24:' || company_id as account_id,
        owner_id,

        -- attributes
        'bitrix24' as crm,
        pipeline,
        stage,
        status,
        channel,
        product,
        loss_reason,
        competitor,

        -- numbers
        amount,
        margin_rate,

        -- booleans
        false as is_deleted,

        -- timestamps, UTC
        expected_close_date,
        closed_at,
        _extracted_at
    from source
)

select * from renamed
