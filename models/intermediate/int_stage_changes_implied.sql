{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number', sparse=true) }}

-- The log alone does not cover a deal's life. Three things are added, each marked by is_exact = false where its time
-- is only a bound: the stage that a deal was in before its first move; the won or lost stage of a deal that was closed
-- by its status alone, since it was closed or else first seen so; and after the win, first use and first revenue.
with deals as (
    select
        deals.*,
        numbers.deal_number
    from {{ ref('crm_deals') }} as deals
    inner join {{ ref('int_deals_numbered') }} as numbers on deals.deal_id = numbers.deal_id
    where
        not deals.is_deleted
        and {{ is_touched('deals.deal_id') }}
),

logs as (
    select
        logs.*,
        deals.deal_id,
        deals.crm,
        deals.pipeline,
        deals.status,
        deals.created_at,
        deals.closed_at,
        -- re-saves are no moves; where there is nothing else, the deal is where it was since its creation
        coalesce(logs.last_moved_at, least(deals.created_at, logs.first_changed_at)) as moved_at
    from {{ ref('int_deals_log_summed') }} as logs
    inner join deals on logs.deal_number = deals.deal_number
    where {{ is_newly_built('logs._load_id') }}
),

statuses as (
    select
        deal_number,
        max(status_first_seen_at) as first_seen_at
    from {{ ref('int_deals_seen') }}
    where {{ is_newly_built() }}
    group by deal_number
),

stages as (
    select
        stages.*,
        numbers.stage_number
    from {{ ref('int_stages_completed') }} as stages
    inner join {{ ref('int_stages_numbered') }} as numbers on stages.stage_id = numbers.stage_id
),

beginnings as (
    select
        logs.deal_number,
        stages.stage_number,
        least(logs.created_at, logs.first_changed_at) as changed_at,
        stages.position = 1 and logs.created_at <= logs.first_changed_at as is_exact,
        0 as log_number
    from logs
    inner join stages on logs.first_stage_number = stages.stage_number
),

closings as (
    select
        logs.deal_number,
        endings.stage_number,
        greatest(coalesce(logs.closed_at, statuses.first_seen_at), logs.moved_at) as changed_at,
        logs.closed_at >= logs.moved_at as is_exact,
        logs.last_log_number + 1 as log_number
    from logs
    inner join {{ ref('int_stages_ended_in') }} as endings
        on logs.crm = endings.crm and logs.pipeline = endings.pipeline and logs.status = endings.status
    inner join stages on logs.last_stage_number = stages.stage_number
    left join stages as won_stages on logs.won_stage_number = won_stages.stage_number
    left join statuses on logs.deal_number = statuses.deal_number
    where
        case logs.status
            when 'lost' then not stages.is_lost
            -- a stage after the win, of another pipeline or without a place in one, is still won
            when 'won' then
                not stages.is_won
                and (
                    logs.won_stage_number is null
                    or stages.is_lost
                    or coalesce(stages.pipeline = won_stages.pipeline and stages.position <= won_stages.position, false)
                )
        end
),

afterwards as (
    select
        logs.deal_number,
        stages.stage_number,
        greatest(milestones.reached_at, coalesce(closings.changed_at, logs.won_at)) as changed_at,
        milestones.reached_at >= coalesce(closings.changed_at, logs.won_at) as is_exact,
        logs.last_log_number + 1 + milestones.place as log_number
    from {{ ref('int_deals_milestones_reached') }} as milestones
    inner join logs on milestones.deal_id = logs.deal_id
    inner join stages
        on logs.crm = stages.crm and logs.pipeline = stages.pipeline and milestones.stage = stages.stage
    left join closings on logs.deal_number = closings.deal_number
    where logs.status = 'won'
),

implied as (
    select * from beginnings
    union all
    select * from closings
    union all
    select * from afterwards
)

select
    deal_number,
    stage_number,
    log_number,
    coalesce(is_exact, false) as is_exact,
    changed_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from implied
