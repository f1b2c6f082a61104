-- When a deal was open, won or lost, and in which pipeline, told by its moves between stages. A move between two
-- stages of a pipeline that both lie before the win changes neither; those are most, and are left out first.
-- A stage behind the win, or in the pipeline that a won deal was handed to, is still won: onboarding is no sale that
-- opens again. Before its first stay a deal was open since its creation, and after the last such move it has the
-- status and the pipeline that the CRM shows now.
with deals as (
    select * from {{ ref('dim_deals') }}
),

visits as (
    select * from {{ ref('fct_stage_visits') }}
),

wins as (
    select
        pipeline,
        min(position) as position
    from {{ ref('dim_stages') }}
    where is_won
    group by pipeline
),

stages as (
    select
        stages.stage_id,
        stages.pipeline,
        stages.is_won,
        stages.is_lost,
        coalesce(stages.position > wins.position, false) as is_behind_win,
        coalesce(stages.position < wins.position, false) and not stages.is_lost as is_before_win
    from {{ ref('dim_stages') }} as stages
    left join wins on stages.pipeline = wins.pipeline
),

moves_before_win as (
    select
        stages.stage_id,
        next_stages.stage_id as next_stage_id
    from stages
    inner join stages as next_stages on stages.pipeline = next_stages.pipeline
    where stages.is_before_win and next_stages.is_before_win
),

moves as (
    select
        visits.deal_id,
        visits._load_id,
        visits.visit_number + 1 as status_number,
        visits.next_stage_id as stage_id,
        visits.exited_at as started_at
    from visits
    left join moves_before_win as quiet
        on visits.stage_id = quiet.stage_id and visits.next_stage_id = quiet.next_stage_id
    where visits.next_stage_id is not null and quiet.stage_id is null

    union all

    select
        deal_id,
        _load_id,
        visit_number as status_number,
        stage_id,
        entered_at as started_at
    from visits
    where visit_number = 1

    union all

    select
        deal_id,
        _load_id,
        0 as status_number,
        null as stage_id,
        created_at as started_at
    from deals
),

staged as (
    select
        moves.*,
        stages.pipeline,
        stages.is_won,
        stages.is_lost,
        stages.is_behind_win,
        max(case when stages.is_won then moves.status_number end) over so_far as last_won_number,
        max(case when stages.is_lost then moves.status_number end) over so_far as last_lost_number,
        max(case when stages.is_won then stages.pipeline end) over so_far as won_pipeline,
        lead(moves.started_at) over so_far as next_started_at,
        lead(stages.pipeline) over so_far as next_pipeline
    from moves
    left join stages on moves.stage_id = stages.stage_id
    window so_far as (partition by moves.deal_id, moves._load_id order by moves.status_number)
)

select
    staged.deal_id,
    staged.status_number,
    case
        when staged.next_started_at is null then deals.status
        when staged.is_won then 'won'
        when staged.is_lost then 'lost'
        when
            staged.last_won_number > coalesce(staged.last_lost_number, 0)
            and (staged.is_behind_win or coalesce(staged.pipeline <> staged.won_pipeline, true))
            then 'won'
        else 'open'
    end as status,
    case
        when staged.next_started_at is null then deals.pipeline
        when staged.status_number = 0 then coalesce(staged.next_pipeline, deals.pipeline)
        else coalesce(staged.pipeline, deals.pipeline)
    end as pipeline,
    case when staged.status_number = 0 then least(staged.started_at, staged.next_started_at) else staged.started_at end
        as started_at,
    staged._load_id
from staged
inner join deals on staged.deal_id = deals.deal_id and staged._load_id = deals._load_id
