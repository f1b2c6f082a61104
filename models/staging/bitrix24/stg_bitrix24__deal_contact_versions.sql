-- What the nightly extracts saw of the people on each deal, as stg_bitrix24__deal_versions does of the deal.
with source as (
    select *
    from {{ ref('base_bitrix24__deals') }}
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        and (_superseded_at is null or _superseded_at > _extracted_at)
),

contacts as (
    select
        deal_id,
        _extracted_at,
        {{ json_each('contact_ids', '$') }} as contact
    from source
),

renamed as (
    select
        -- ids
        'bitrix24:' || deal_id as deal_id,

        -- attributes
        'bitrix24' as crm,

        -- booleans
        cast(null as boolean) as is_decision_maker,

        -- timestamps, UTC
        _extracted_at
    from contacts
)

select * from renamed
