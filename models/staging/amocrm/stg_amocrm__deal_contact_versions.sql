-- What the nightly extracts saw of the people on each deal, as stg_amocrm__deal_versions does of the deal.
with source as (
    select *
    from {{ ref('base_amocrm__leads') }}
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        and (_superseded_at is null or _superseded_at > _extracted_at)
),

contacts as (
    select
        lead_id,
        _extracted_at,
        {{ json_each('contacts', '$') }} as contact
    from source
),

renamed as (
    select
        -- ids
        'amocrm:' || lead_id as deal_id,

        -- attributes
        'amocrm' as crm,

        -- booleans
        cast(null as boolean) as is_decision_maker,

        -- timestamps, UTC
        _extracted_at
    from contacts
)

select * from renamed
