{{ config(materialized='table') }}

-- Stages by their id, with the names that everything downstream speaks of. Two stages of one pipeline, or two
-- pipelines, that share a name are told apart by their ids. A table: small,
-- and in the way of every read of a deal.
with stages as (
    {{ current_versions(source('pipedrive', 'stages')) }}
),

pipelines as (
    {{ current_versions(source('pipedrive', 'pipelines')) }}
),

named as (
    select
        stages.id as stage_id,
        stages.pipeline_id,
        coalesce(pipelines.name, stages.pipeline_name, stages.pipeline_id) as pipeline,
        stages.name as stage,
        stages.order_nr,
        stages.deal_probability
    from stages
    left join pipelines on stages.pipeline_id = pipelines.id
),

counted as (
    select
        *,
        min(pipeline_id) over (partition by pipeline) <> max(pipeline_id) over (partition by pipeline)
            as is_shared_pipeline,
        count(*) over (partition by pipeline_id, stage) > 1 as is_shared_stage,
        row_number() over (partition by pipeline_id order by order_nr, stage_id) as position
    from named
)

select
    stage_id,
    pipeline_id,
    case when is_shared_pipeline then pipeline || ' (' || pipeline_id || ')' else pipeline end as pipeline,
    case when is_shared_stage then stage || ' (' || stage_id || ')' else stage end as stage,
    position,
    deal_probability / 100 as probability
from counted
