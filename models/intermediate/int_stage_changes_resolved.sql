-- A CRM logs a move by the stage's name; which stage of which pipeline that is, only the deal tells.
with meanings as (
    select * from {{ ref('int_stages_named') }}
),

pipelines as (
    select distinct
        crm,
        pipeline,
        pipeline_number
    from meanings
),

deals as (
    select
        deals.deal_id,
        numbers.deal_number,
        pipelines.pipeline_number
    from {{ ref('crm_deals') }} as deals
    inner join {{ ref('int_deals_numbered') }} as numbers on deals.deal_id = numbers.deal_id
    inner join pipelines
        on deals.crm = pipelines.crm and deals.pipeline = pipelines.pipeline
    where not deals.is_deleted
)

select
    deals.deal_number,
    from_stage.stage_number as from_stage_number,
    to_stage.stage_number,
    -- where the move comes in a walk through the pipeline: first forward in its order, then back against it
    case
        when to_stage.position < from_stage.position then 1000000 * (2000000 - from_stage.place)
        else 1000000 * coalesce(from_stage.place, 0)
    end + to_stage.place as walk_order,
    changes.changed_at,
    changes.recorded_at,
    changes.changed_by_id
from {{ ref('crm_stage_changes') }} as changes
inner join deals on changes.deal_id = deals.deal_id
inner join meanings as to_stage
    on deals.pipeline_number = to_stage.pipeline_number and changes.to_stage = to_stage.stage
left join meanings as from_stage
    on deals.pipeline_number = from_stage.pipeline_number and changes.from_stage = from_stage.stage
