-- When a deal was open, won or lost, and in which pipeline, told by its stays. A stage behind the win, or in the
-- pipeline it was handed to after the win, is still won: onboarding is not a sale that opens again. Its last stay
-- has the status and the pipeline that the CRM shows now. Before its first stay a deal was open since its creation.
with deals as (
    select * from {{ ref('dim_deals') }}
),

wins as (
    select
        pipeline,
        min(position) as position
    from {{ ref('dim_stages') }}
    where is_won
    group by pipeline
),

stays as (
    select
        visits.deal_id,
        visits._load_id,
        visits.visit_number,
        visits.entered_at,
        visits.exit_type,
        stages.pipeline,
        stages.is_won,
        stages.is_lost,
        coalesce(stages.position > wins.position, false) as is_behind_win,
        max(case when stages.is_won then visits.visit_number end) over so_far as last_won_number,
        max(case when stages.is_lost then visits.visit_number end) over so_far as last_lost_number,
        max(case when stages.is_won then stages.pipeline end) over so_far as won_pipeline
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
    left join wins on stages.pipeline = wins.pipeline
    window so_far as (partition by visits.deal_id, visits._load_id order by visits.visit_number)
),

statuses as (
    select
        stays.deal_id,
        stays._load_id,
        stays.visit_number as status_number,
        case
            when stays.exit_type = 'still_there' then deals.status
            when stays.is_won then 'won'
            when stays.is_lost then 'lost'
            when
                stays.last_won_number > coalesce(stays.last_lost_number, 0)
                and (stays.is_behind_win or coalesce(stays.pipeline <> stays.won_pipeline, true))
                then 'won'
            else 'open'
        end as status,
        case when stays.exit_type = 'still_there' then deals.pipeline else coalesce(stays.pipeline, deals.pipeline) end
            as pipeline,
        stays.entered_at as started_at
    from stays
    inner join deals on stays.deal_id = deals.deal_id

    union all

    select
        deals.deal_id,
        deals._load_id,
        0 as status_number,
        case when first_stays.deal_id is null then deals.status else 'open' end as status,
        coalesce(first_stays.pipeline, deals.pipeline) as pipeline,
        least(deals.created_at, first_stays.entered_at) as started_at
    from deals
    left join stays as first_stays
        on deals.deal_id = first_stays.deal_id and deals._load_id = first_stays._load_id and first_stays.visit_number = 1
),

compared as (
    select
        *,
        lag(status) over timeline as previous_status,
        lag(pipeline) over timeline as previous_pipeline
    from statuses
    window timeline as (partition by deal_id, _load_id order by status_number)
)

select
    deal_id,
    status_number,
    status,
    pipeline,
    started_at,
    _load_id
from compared
where
    status_number = 0
    or status <> previous_status
    or pipeline <> previous_pipeline
