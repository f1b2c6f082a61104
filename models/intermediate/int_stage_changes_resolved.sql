-- A CRM logs a move by the stage's name or id; which stage of which pipeline that is, only the deal tells.
-- A stage that the deal's own pipeline does not have is looked for in the other pipelines; one that nobody
-- defined keeps its name, so that the stay in it is not lost.
with changes as (
    select * from {{ ref('crm_stage_changes') }}
),

deals as (
    select * from {{ ref('crm_deals') }}
),

stages as (
    select * from {{ ref('int_stages_completed') }}
),

elsewhere as (
    select
        crm,
        stage,
        min(stage_id) as stage_id
    from stages
    group by crm, stage
)

select
    changes.deal_id,
    case
        when changes.from_stage is not null
            then coalesce(
                from_own.stage_id, from_other.stage_id, deals.crm || ':' || deals.pipeline || ':' || changes.from_stage
            )
    end as from_stage_id,
    coalesce(
        to_own.stage_id, to_other.stage_id, deals.crm || ':' || deals.pipeline || ':' || changes.to_stage
    ) as stage_id,
    coalesce(from_own.position, 0) as from_position,
    coalesce(to_own.position, 0) as position,
    changes.changed_at,
    changes.recorded_at,
    changes.changed_by_id
from changes
inner join deals on changes.deal_id = deals.deal_id
left join stages as from_own
    on
        deals.crm = from_own.crm
        and deals.pipeline = from_own.pipeline
        and changes.from_stage = from_own.stage
left join stages as to_own
    on
        deals.crm = to_own.crm
        and deals.pipeline = to_own.pipeline
        and changes.to_stage = to_own.stage
left join elsewhere as from_other
    on
        deals.crm = from_other.crm
        and changes.from_stage = from_other.stage
        and from_own.stage_id is null
left join elsewhere as to_other
    on
        deals.crm = to_other.crm
        and changes.to_stage = to_other.stage
        and to_own.stage_id is null
where not deals.is_deleted
