{{ config(materialized='table') }}

-- Which move of a deal opens a span of the journey, and which passes it: is_opening when the step's clock starts,
-- is_passing when the deal leaves forward the stage after which the step counts as skipped. A stage that is jumped
-- over is opened and passed by the jump, so that its steps are not lost. One row per span and stage entered
-- (next_stage_id is null), and one per span and move from a stage to another.
with stages as (
    select * from {{ ref('int_stages_completed') }}
),

spans as (
    select distinct
        span_id,
        trigger,
        trigger_name,
        skipped_after_stage
    from {{ ref('int_journey_lines_resolved') }}
),

opening as (
    select
        spans.span_id,
        stages.stage_id
    from spans
    inner join stages
        on
            (spans.trigger = 'stage_entered' and spans.trigger_name = stages.stage)
            or (spans.trigger = 'phase_entered' and spans.trigger_name = stages.phase)
            or (spans.trigger = 'won' and stages.is_won)
),

passing as (
    select
        spans.span_id,
        stages.stage_id
    from spans
    inner join stages on spans.skipped_after_stage = stages.stage
),

-- the stages that a move forward leaves behind: the one it starts from and all that it jumps over
moves as (
    select
        origin.stage_id,
        target.stage_id as next_stage_id,
        behind.stage_id as passed_stage_id
    from stages as origin
    inner join stages as target
        on
            origin.crm = target.crm
            and not origin.is_lost
            and not target.is_lost
            and (origin.pipeline <> target.pipeline or origin.position < target.position or target.is_won)
    inner join stages as behind
        on
            origin.pipeline = behind.pipeline
            and origin.crm = behind.crm
            and not behind.is_won
            and not behind.is_lost
            and (
                origin.stage_id = behind.stage_id
                or (
                    origin.pipeline = target.pipeline
                    and origin.position < behind.position
                    and (target.position > behind.position or target.is_won)
                )
            )
),

moved as (
    select
        moves.stage_id,
        moves.next_stage_id,
        opening.span_id,
        case when moves.stage_id <> moves.passed_stage_id then 1 else 0 end as opens,
        0 as passes
    from moves
    inner join opening on moves.passed_stage_id = opening.stage_id
    union all
    select
        moves.stage_id,
        moves.next_stage_id,
        passing.span_id,
        0 as opens,
        1 as passes
    from moves
    inner join passing on moves.passed_stage_id = passing.stage_id
)

select
    span_id,
    stage_id,
    cast(null as {{ dbt.type_string() }}) as next_stage_id,
    true as is_opening,
    false as is_passing
from opening
union all
select
    span_id,
    stage_id,
    next_stage_id,
    max(opens) = 1 as is_opening,
    max(passes) = 1 as is_passing
from moved
group by span_id, stage_id, next_stage_id
having max(opens) + max(passes) > 0
