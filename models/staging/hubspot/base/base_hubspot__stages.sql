{{ config(materialized='table') }}

-- Stages by their id, with the names that everything downstream speaks of; loaders give a table of stages, REST pages
-- a list within each pipeline. Two stages of one pipeline, or two pipelines, that share a label are told apart by ids.
-- A table: small, and in the way of every read of a deal.
with pipelines as (
    {{ current_versions(source('hubspot', 'deal_pipeline')) }}
),

nested as (
    select
        pipeline_id,
        {{ json_each('stages', '$') }} as stage
    from pipelines
    where stages is not null
),

stages as (
    select
        stage_id,
        pipeline_id,
        label,
        display_order,
        probability,
        is_closed,
        closed_won
    from ({{ current_versions(source('hubspot', 'deal_pipeline_stage')) }}) as listed
    union all
    select
        {{ json_text('stage', '$.id') }} as stage_id,
        pipeline_id,
        {{ json_text('stage', '$.label') }} as label,
        try_cast({{ json_text('stage', '$.displayOrder') }} as integer) as display_order,
        try_cast({{ json_text('stage', '$.metadata.probability') }} as double) as probability,
        {{ json_text('stage', '$.metadata.isClosed') }} = 'true' as is_closed,
        try_cast({{ json_text('stage', '$.metadata.probability') }} as double) = 1 as closed_won
    from nested
),

-- of one in both, the table's
ranked as (
    select
        stages.stage_id,
        stages.pipeline_id,
        coalesce(pipelines.label, stages.pipeline_id) as pipeline,
        coalesce(stages.label, stages.stage_id) as stage,
        stages.display_order,
        stages.probability,
        coalesce(stages.is_closed, stages.closed_won, stages.probability in (0, 1), false) as is_closed,
        coalesce(stages.closed_won, stages.is_closed and stages.probability = 1, false) as is_won,
        row_number() over (
            partition by stages.pipeline_id, stages.stage_id order by stages.closed_won nulls last, stages.display_order
        ) as place
    from stages
    left join pipelines on stages.pipeline_id = pipelines.pipeline_id
),

counted as (
    select
        *,
        min(pipeline_id) over (partition by pipeline) <> max(pipeline_id) over (partition by pipeline)
            as is_shared_pipeline,
        count(*) over (partition by pipeline_id, stage) > 1 as is_shared_stage,
        row_number() over (partition by pipeline_id order by display_order, stage_id) as position,
        row_number() over (partition by stage_id order by pipeline_id) = 1 as is_first_of_its_id
    from ranked
    where place = 1
)

select
    stage_id,
    pipeline_id,
    case when is_shared_pipeline then pipeline || ' (' || pipeline_id || ')' else pipeline end as pipeline,
    case when is_shared_stage then stage || ' (' || stage_id || ')' else stage end as stage,
    position,
    probability,
    is_closed,
    is_won,
    is_closed and not is_won as is_lost,
    is_first_of_its_id
from counted
