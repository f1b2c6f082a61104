with source as (
    select * from {{ ref('base_bitrix24__stages') }}
),

renamed as (
    select
        -- ids
        stage_id,

        -- attributes
        'bitrix24' as crm,
        pipeline,
        stage,
        cast(null as {{ dbt.type_string() }}) as phase,

        -- numbers
        position,
        cast(null as double) as crm_probability,

        -- booleans
        semantics = 'S' as is_won,
        semantics = 'F' as is_lost
    from source
)

select * from renamed
