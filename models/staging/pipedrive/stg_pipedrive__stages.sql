-- Every pipeline gets the stages Won and Lost, which Pipedrive has as a status; also one that only deals tell of.
with stages as (
    select * from {{ ref('base_pipedrive__stages') }}
),

pipelines as (
    select
        pipeline,
        max(position) as last_position
    from (
        select
            pipeline,
            position
        from stages
        union all
        select distinct
            pipeline,
            0 as position
        from {{ ref('base_pipedrive__deals') }}
    ) as known
    group by pipeline
),

completed as (
    select
        stage_id,
        pipeline,
        stage,
        position,
        probability,
        false as is_won,
        false as is_lost
    from stages
    union all
    select
        pipeline || ':Won' as stage_id,
        pipeline,
        'Won' as stage,
        last_position + 1 as position,
        1.0 as probability,
        true as is_won,
        false as is_lost
    from pipelines
    union all
    select
        pipeline || ':Lost' as stage_id,
        pipeline,
        'Lost' as stage,
        last_position + 2 as position,
        0.0 as probability,
        false as is_won,
        true as is_lost
    from pipelines
)

select
    -- ids
    'pipedrive:' || stage_id as stage_id,

    -- attributes
    'pipedrive' as crm,
    pipeline,
    stage,
    cast(null as {{ dbt.type_string() }}) as phase,

    -- numbers
    cast(position as integer) as position,
    cast(probability as double) as crm_probability,

    -- booleans
    is_won,
    is_lost
from completed
