-- A row is a stay that began: the creation too. Who moved the deal is not told.
with source as (
    {{ current_versions(source('bitrix24', 'stage_history')) }}
),

stages as (
    select * from {{ ref('base_bitrix24__stages') }}
),

renamed as (
    select
        -- ids
        'bitrix24:' || source.owner_id as deal_id,
        cast(null as {{ dbt.type_string() }}) as changed_by_id,

        -- attributes: stages by their ids, since pipelines share names and the id knows its pipeline
        'bitrix24' as crm,
        cast(null as {{ dbt.type_string() }}) as from_stage,
        coalesce(stages.stage_id, source.stage_id) as to_stage,

        -- timestamps, UTC
        source.created_time as changed_at,
        source.created_time as recorded_at
    from source
    left join stages on source.stage_id = stages.status_id
)

select * from renamed
