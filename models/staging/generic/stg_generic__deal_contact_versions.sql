-- What the nightly extracts saw of each person's part in a deal, as stg_generic__deal_versions does of the deal.
with source as (
    select *
    from {{ source('generic', 'deal_contacts') }}
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        and (_superseded_at is null or _superseded_at > _extracted_at)
),

renamed as (
    select
        -- ids
        'generic:' || deal_id as deal_id,

        -- attributes
        'generic' as crm,

        -- booleans
        coalesce(is_decision_maker, false) as is_decision_maker,

        -- timestamps, UTC
        _extracted_at
    from source
)

select * from renamed
