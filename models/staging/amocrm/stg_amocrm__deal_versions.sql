-- What the nightly extracts saw of each deal: every version that was ever in force, not the newest alone.
with source as (
    select *
    from {{ ref('base_amocrm__leads') }}
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        -- two files of one moment: the later one holds
        and (_superseded_at is null or _superseded_at > _extracted_at)
),

renamed as (
    select
        -- ids
        'amocrm:' || lead_id as deal_id,
        'amocrm:' || company_id as account_id,
        'amocrm:' || owner_id as owner_id,

        -- attributes
        'amocrm' as crm,
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
        is_deleted,

        -- timestamps, UTC
        expected_close_date,
        closed_at,
        _extracted_at
    from source
)

select * from renamed
