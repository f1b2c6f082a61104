-- A visit lasts from one move of the deal to the next. All rows of a deal carry one _load_id; it is part of
-- every partition, so that a filter on it reaches the table below and a night reads only the deals it rebuilt.
with changes as (
    select * from {{ ref('int_stage_changes_completed') }}
),

stages as (
    select * from {{ ref('int_stages_completed') }}
),

moves as (
    select
        deal_id,
        stage_id,
        changed_at as entered_at,
        changed_by_id as entered_by_id,
        is_exact as is_entered_at_exact,
        _load_id,
        lead(changed_at) over deal_timeline as exited_at,
        lead(stage_id) over deal_timeline as next_stage_id,
        row_number() over deal_timeline as visit_number,
        row_number() over (
            partition by deal_id, _load_id, stage_id
            order by changed_at, log_number
        ) as stage_visit_number
    from changes
    window deal_timeline as (partition by deal_id, _load_id order by changed_at, log_number)
)

select
    moves.*,
    case
        when moves.next_stage_id is null then 'still_there'
        when next_stage.is_lost then 'lost'
        when next_stage.is_won then 'advanced'
        when next_stage.pipeline <> stage.pipeline then 'handed_off'
        when stage.is_lost then 'moved_back'
        when next_stage.position >= stage.position then 'advanced'
        when next_stage.position < stage.position then 'moved_back'
        -- a stage that nobody defined has no place before or after another
        else 'handed_off'
    end as exit_type
from moves
left join stages as stage on moves.stage_id = stage.stage_id
left join stages as next_stage on moves.next_stage_id = next_stage.stage_id
