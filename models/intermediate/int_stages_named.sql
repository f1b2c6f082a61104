-- What a stage's name means in each pipeline: the pipeline's own stage of that name, else that of another pipeline
-- of the CRM. Names stand in logs and on deals; a log that knows the pipeline too says the stage's id, which means the
-- same in all of them. From here on stages are numbers.
with stages as (
    select
        stages.*,
        numbers.stage_number,
        row_number() over (order by coalesce(stages.position, 0), stages.stage_id) as place
    from {{ ref('int_stages_completed') }} as stages
    inner join {{ ref('int_stages_numbered') }} as numbers on stages.stage_id = numbers.stage_id
),

names as (
    select
        crm,
        stage,
        min(stage_id) as stage_id
    from stages
    group by crm, stage
    union all
    select
        crm,
        stage_id as stage,
        stage_id
    from stages
),

pipelines as (
    select
        crm,
        pipeline,
        row_number() over (order by crm, pipeline) as pipeline_number
    from stages
    group by crm, pipeline
)

select
    pipelines.crm,
    pipelines.pipeline,
    pipelines.pipeline_number,
    names.stage,
    meant.stage_number,
    coalesce(meant.position, 0) as position,
    meant.place,
    meant.is_won,
    meant.is_lost
from pipelines
inner join names on pipelines.crm = names.crm
left join stages as own
    on
        pipelines.crm = own.crm
        and pipelines.pipeline = own.pipeline
        and names.stage = own.stage
inner join stages as meant on coalesce(own.stage_id, names.stage_id) = meant.stage_id
