-- A visit lasts from one move of the deal to the next. All rows of a deal carry one _load_id; it is part of
-- every partition, so that a filter on it reaches the table below and a night reads only the deals it rebuilt.
with stages as (
    select
        numbers.stage_number,
        stages.stage_id,
        -- a stage that nobody defined has no place before or after another
        case when stages.position is not null then stages.pipeline end as pipeline,
        stages.position,
        stages.is_won,
        stages.is_lost,
        -- which of the pipeline's stages on the way to the win this is
        case
            when not stages.is_lost and stages.position is not null
                then dense_rank() over (
                    partition by stages.crm, stages.pipeline, stages.is_lost
                    order by stages.position
                )
        end as step_number
    from {{ ref('int_stages_completed') }} as stages
    inner join {{ ref('int_stages_numbered') }} as numbers on stages.stage_id = numbers.stage_id
),

moves as (
    select
        deal_number,
        stage_number,
        changed_at as entered_at,
        changed_by_id as entered_by_id,
        is_exact as is_entered_at_exact,
        _load_id,
        lead(changed_at) over deal_timeline as exited_at,
        lead(stage_number) over deal_timeline as next_stage_number,
        lag(stage_number) over deal_timeline as previous_stage_number,
        row_number() over deal_timeline as visit_number
    from {{ ref('int_stage_changes_completed') }}
    window deal_timeline as (partition by deal_number, _load_id order by changed_at, log_number)
),

numbered as (
    select
        *,
        row_number() over (partition by deal_number, _load_id, stage_number order by visit_number) as stage_visit_number
    from moves
)

select
    visits.deal_number,
    stage.stage_id,
    next_stage.stage_id as next_stage_id,
    visits.entered_by_id,
    visits.visit_number,
    visits.stage_visit_number,
    case
        when next_stage.stage_number is null then 'still_there'
        when next_stage.is_lost then 'lost'
        when next_stage.is_won then 'advanced'
        when next_stage.pipeline <> stage.pipeline then 'handed_off'
        when stage.is_lost then 'moved_back'
        when next_stage.position >= stage.position then 'advanced'
        when next_stage.position < stage.position then 'moved_back'
        else 'handed_off'
    end as exit_type,
    -- stages between the one before and this one that the deal was never in this time
    case
        when stage.pipeline = previous_stage.pipeline and stage.step_number > previous_stage.step_number
            then stage.step_number - previous_stage.step_number - 1
        when stage.step_number is not null and stage.pipeline = previous_stage.pipeline then 0
        when visits.visit_number = 1 then stage.step_number - 1
    end as stages_skipped,
    coalesce(
        previous_stage.is_lost or (previous_stage.is_won and stage.position < previous_stage.position), false
    ) and not (stage.is_won or stage.is_lost) as is_reopening,
    coalesce(previous_stage.is_won or previous_stage.is_lost, false)
    and (stage.is_won or stage.is_lost) as is_after_closing,
    visits.is_entered_at_exact,
    visits.entered_at,
    visits.exited_at,
    visits._load_id
from numbered as visits
inner join stages as stage on visits.stage_number = stage.stage_number
left join stages as next_stage on visits.next_stage_number = next_stage.stage_number
left join stages as previous_stage on visits.previous_stage_number = previous_stage.stage_number
