with source as (
    select * from {{ ref('base_amocrm__statuses') }}
),

renamed as (
    select
        -- ids
        stage_id,

        -- attributes
        'amocrm' as crm,
        pipeline,
        stage,
        cast(null as {{ dbt.type_string() }}) as phase,

        -- numbers
        position,
        cast(null as double) as crm_probability,

        -- booleans
        status_id = '142' as is_won,
        status_id = '143' as is_lost
    from source
)

select * from renamed
