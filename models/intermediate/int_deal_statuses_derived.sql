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
        deal_id,
        _load_id,
        visit_number + 1 as status_number,
        next_stage_id as stage_id,
        exited_at as moved_at
    from visits
    where
        next_stage_id is not null
        and not exists (
            select 1 from moves_before_win as quiet
            where visits.stage_id = quiet.stage_id and visits.next_stage_id = quiet.next_stage_id
        )
    union all
    select
        deal_id,
        _load_id,
        visit_number as status_number,
        stage_id,
        entered_at as moved_at
    from visits
    where visit_number = 1
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
        max(case when stages.is_won then stages.pipeline end) over so_far as won_pipeline
    from moves
    inner join stages on moves.stage_id = stages.stage_id
    window so_far as (partition by moves.deal_id, moves._load_id order by moves.status_number)
),

told as (
    select
        deal_id,
        _load_id,
        status_number,
        pipeline,
        moved_at,
        case
            when is_won then 'won'
            when is_lost then 'lost'
            when
                last_won_number > coalesce(last_lost_number, 0)
                and (is_behind_win or coalesce(pipeline <> won_pipeline, true))
                then 'won'
            else 'open'
        end as status
    from staged
    union all
    select
        deals.deal_id,
        deals._load_id,
        0 as status_number,
        staged.pipeline,
        least(deals.created_at, staged.moved_at) as moved_at,
        'open' as status
    from deals
    left join staged
        on deals.deal_id = staged.deal_id and deals._load_id = staged._load_id and staged.status_number = 1
),

compared as (
    select
        *,
        lag(status) over timeline as previous_status,
        lag(pipeline) over timeline as previous_pipeline,
        lead(deal_id) over timeline is null as is_last
    from told
    window timeline as (partition by deal_id, _load_id order by status_number)
)

select
    compared.deal_id,
    compared.status_number,
    case when compared.is_last then deals.status else compared.status end as status,
    case when compared.is_last then deals.pipeline else coalesce(compared.pipeline, deals.pipeline) end as pipeline,
    compared.moved_at as started_at,
    compared._load_id
from compared
inner join deals on compared.deal_id = deals.deal_id and compared._load_id = deals._load_id
where
    compared.is_last
    or compared.status_number = 0
    or compared.status is distinct from compared.previous_status
    or compared.pipeline is distinct from compared.previous_pipeline
