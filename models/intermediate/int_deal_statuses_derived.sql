-- When a deal was opened, won or lost, and in which pipeline, told by its moves between stages. A move between two
-- stages of a pipeline that both lie before the win changes neither; those are most, and are left out.
-- A stage behind the win, or in the pipeline that a won deal is handed to, is still won: onboarding is no sale that
-- opens again. Before its first stay a deal was open since its creation: status_number 0.
with wins as (
    select
        crm,
        pipeline,
        min(position) as position
    from {{ ref('dim_stages') }}
    where is_won
    group by crm, pipeline
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
    left join wins on stages.crm = wins.crm and stages.pipeline = wins.pipeline
),

telling as (
    select
        stages.stage_id,
        next_stages.stage_id as next_stage_id,
        next_stages.pipeline,
        case
            when next_stages.is_won then 'won'
            when next_stages.is_lost then 'lost'
            when
                (stages.is_won or stages.is_behind_win)
                and (next_stages.is_behind_win or coalesce(next_stages.pipeline <> stages.pipeline, true))
                then 'won'
            else 'open'
        end as status
    from stages
    cross join stages as next_stages
    where not coalesce(stages.is_before_win and next_stages.is_before_win and stages.pipeline = next_stages.pipeline, false)
)

select
    visits._deal_number as deal_number,
    visits.visit_number + 1 as status_number,
    telling.status,
    telling.pipeline,
    visits.exited_at as started_at,
    visits._load_id
from {{ ref('fct_stage_visits') }} as visits
inner join telling
    on visits.stage_id = telling.stage_id and visits.next_stage_id = telling.next_stage_id

union all

select
    visits._deal_number as deal_number,
    1 as status_number,
    case when stages.is_won then 'won' when stages.is_lost then 'lost' else 'open' end as status,
    stages.pipeline,
    visits.entered_at as started_at,
    visits._load_id
from {{ ref('fct_stage_visits') }} as visits
inner join stages on visits.stage_id = stages.stage_id
where visits.visit_number = 1 and not stages.is_before_win

union all

select
    deals._deal_number as deal_number,
    0 as status_number,
    'open' as status,
    coalesce(stages.pipeline, deals.pipeline) as pipeline,
    least(deals.created_at, visits.entered_at) as started_at,
    deals._load_id
from {{ ref('dim_deals') }} as deals
left join {{ ref('fct_stage_visits') }} as visits
    on deals._deal_number = visits._deal_number and deals._load_id = visits._load_id and visits.visit_number = 1
left join stages on visits.stage_id = stages.stage_id
