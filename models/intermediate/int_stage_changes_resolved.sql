-- A CRM logs a move by the stage's name; which stage of which pipeline that is, only the deal tells. A stage that the
-- deal's own pipeline does not have is looked for in the other pipelines of its CRM.
with stages as (
    select
        stages.*,
        numbers.stage_number
    from {{ ref('int_stages_completed') }} as stages
    inner join {{ ref('int_stages_numbered') }} as numbers on stages.stage_id = numbers.stage_id
),

names as (
    select
        crm,
        stage,
        min_by(stage_number, stage_id) as stage_number
    from stages
    group by crm, stage
),

pipelines as (
    select
        crm,
        pipeline,
        row_number() over (order by crm, pipeline) as pipeline_number
    from stages
    group by crm, pipeline
),

-- what each name means in each pipeline
meanings as (
    select
        pipelines.pipeline_number,
        names.stage,
        coalesce(own.stage_number, names.stage_number) as stage_number,
        coalesce(own.position, 0) as position
    from pipelines
    inner join names on pipelines.crm = names.crm
    left join stages as own
        on
            pipelines.crm = own.crm
            and pipelines.pipeline = own.pipeline
            and names.stage = own.stage
),

deals as (
    select
        deals.deal_id,
        numbers.deal_number,
        pipelines.pipeline_number
    from {{ ref('crm_deals') }} as deals
    inner join {{ ref('int_deals_numbered') }} as numbers on deals.deal_id = numbers.deal_id
    inner join pipelines on deals.crm = pipelines.crm and deals.pipeline = pipelines.pipeline
    where not deals.is_deleted
)

select
    deals.deal_number,
    from_stage.stage_number as from_stage_number,
    to_stage.stage_number,
    coalesce(from_stage.position, 0) as from_position,
    to_stage.position,
    changes.changed_at,
    changes.recorded_at,
    changes.changed_by_id
from {{ ref('crm_stage_changes') }} as changes
inner join deals on changes.deal_id = deals.deal_id
inner join meanings as to_stage
    on deals.pipeline_number = to_stage.pipeline_number and changes.to_stage = to_stage.stage
left join meanings as from_stage
    on deals.pipeline_number = from_stage.pipeline_number and changes.from_stage = from_stage.stage
