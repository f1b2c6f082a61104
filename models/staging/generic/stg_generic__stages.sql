with source as (
    {{ current_versions(source('generic', 'stages')) }}
),

renamed as (
    select
        -- ids
        'generic:' || pipeline || ':' || stage as stage_id,

        -- attributes
        'generic' as crm,
        pipeline,
        stage,
        phase,

        -- numbers
        position,
        probability as crm_probability,

        -- booleans
        coalesce(is_won, false) as is_won,
        coalesce(is_lost, false) as is_lost
    from source
)

select * from renamed
