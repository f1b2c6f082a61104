-- The log has a deal's moves, and that it was created, but not where. A deal was created in the stage that its first
-- move left; where it has not moved, in the one that extracts first saw it in, if they saw it no later than its
-- creation was logged: between the two it may have been elsewhere.
with events as (
    select *
    from (
        {{ current_versions(source('amocrm', 'events')) }}
    ) as current_events
    where entity_type = 'lead' and type in ('lead_added', 'lead_status_changed')
),

moves as (
    select
        entity_id as lead_id,
        created_by,
        created_at,
        {{ json_text('value_before', '$[0].lead_status.pipeline_id') }} as from_pipeline_id,
        {{ json_text('value_before', '$[0].lead_status.id') }} as from_status_id,
        {{ json_text('value_after', '$[0].lead_status.pipeline_id') }} as to_pipeline_id,
        {{ json_text('value_after', '$[0].lead_status.id') }} as to_status_id
    from events
    where type = 'lead_status_changed'
),

first_moves as (
    select
        entity_id as lead_id,
        min_by(value_before, created_at) as value_before
    from events
    where type = 'lead_status_changed'
    group by entity_id
),

first_versions as (
    select
        lead_id,
        min_by(pipeline_id, _extracted_at) as pipeline_id,
        min_by(status_id, _extracted_at) as status_id,
        min(_extracted_at) as first_seen_at
    from {{ ref('base_amocrm__leads') }}
    where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
    group by lead_id
),

creations as (
    select
        events.entity_id as lead_id,
        events.created_by,
        events.created_at,
        cast(null as {{ dbt.type_string() }}) as from_pipeline_id,
        cast(null as {{ dbt.type_string() }}) as from_status_id,
        case
            when first_moves.lead_id is null then first_versions.pipeline_id
            else {{ json_text('first_moves.value_before', '$[0].lead_status.pipeline_id') }}
        end as to_pipeline_id,
        case
            when first_moves.lead_id is null then first_versions.status_id
            else {{ json_text('first_moves.value_before', '$[0].lead_status.id') }}
        end as to_status_id
    from events
    left join first_moves on events.entity_id = first_moves.lead_id
    left join first_versions
        on events.entity_id = first_versions.lead_id and events._extracted_at >= first_versions.first_seen_at
    where events.type = 'lead_added'
),

changes as (
    select * from moves
    union all
    select * from creations
),

statuses as (
    select * from {{ ref('base_amocrm__statuses') }}
),

renamed as (
    select
        -- ids
        'amocrm:' || changes.lead_id as deal_id,
        'amocrm:' || nullif(changes.created_by, '0') as changed_by_id, -- 0 is a robot

        -- attributes: stages by their ids, since pipelines share names and the log knows the pipeline
        'amocrm' as crm,
        coalesce(from_status.stage_id, changes.from_status_id) as from_stage,
        coalesce(to_status.stage_id, changes.to_status_id) as to_stage,

        -- timestamps, UTC
        changes.created_at as changed_at,
        changes.created_at as recorded_at
    from changes
    left join statuses as from_status
        on changes.from_pipeline_id = from_status.pipeline_id and changes.from_status_id = from_status.status_id
    left join statuses as to_status
        on changes.to_pipeline_id = to_status.pipeline_id and changes.to_status_id = to_status.status_id
    where changes.to_status_id is not null
)

select * from renamed
