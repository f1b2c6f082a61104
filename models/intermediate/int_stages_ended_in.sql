-- The stage of a pipeline in which a deal ends that a status alone says is won or lost: the first of its kind.
with stages as (
    select
        stages.crm,
        stages.pipeline,
        case when stages.is_won then 'won' else 'lost' end as status,
        numbers.stage_number,
        stages.position,
        stages.stage_id
    from {{ ref('int_stages_completed') }} as stages
    inner join {{ ref('int_stages_numbered') }} as numbers on stages.stage_id = numbers.stage_id
    where stages.is_won or stages.is_lost
),

ranked as (
    select
        *,
        row_number() over (partition by crm, pipeline, status order by position, stage_id) as ending_number
    from stages
)

select
    crm,
    pipeline,
    status,
    stage_number
from ranked
where ending_number = 1
