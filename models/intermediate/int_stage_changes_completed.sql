{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- The CRM also logs a change when a rep re-saves the same stage; those repeats are dropped. And the log alone
-- does not cover a deal's life. Four things are added, each marked by is_exact = false where its time is only
-- a bound:
--   the stage a deal was in before its first logged move (it says where it came from);
--   for a deal without any log, the stage it was seen in, from the time it was seen, never from its
--   creation: that would carry today's stage into the past;
--   the won or lost stage of a deal that was closed by its status alone;
--   after the win, first use and first revenue.
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

stages as (
    select
        stages.*,
        numbers.stage_number
    from {{ ref('int_stages_completed') }} as stages
    inner join {{ ref('int_stages_numbered') }} as numbers on stages.stage_id = numbers.stage_id
),

endings as (
    select
        crm,
        pipeline,
        case when is_won then 'won' else 'lost' end as status,
        stage_number,
        row_number() over (
            partition by crm, pipeline, case when is_won then 'won' else 'lost' end
            order by position, stage_id
        ) as ending_number
    from stages
    where is_won or is_lost
),

logged as (
    select
        deal_number,
        stage_number,
        from_stage_number,
        changed_at,
        changed_by_id,
        row_number() over log_of_deal as log_number,
        lag(stage_number) over log_of_deal as previous_stage_number
    from {{ ref('int_stage_changes_resolved') }}
    where {{ is_touched('deal_number') }}
    window log_of_deal as (
        partition by deal_number
        order by
            changed_at,
            recorded_at,
            -- moves of one moment: first forward in the pipeline's order, then back against it
            case
                when position < from_position then 1000000 - 1000 * from_position
                else 1000 * from_position
            end + position,
            stage_number,
            -- the same move logged twice: whoever comes first, it is the same one every night
            from_stage_number,
            changed_by_id
    )
),

logs as (
    select
        logged.deal_number,
        min(logged.changed_at) as first_changed_at,
        -- re-saves are no moves; where there is nothing else, the deal is where it was since its creation
        coalesce(
            max(
                case
                    when logged.stage_number is distinct from coalesce(
                        logged.previous_stage_number, logged.from_stage_number
                    ) then logged.changed_at
                end
            ),
            least(min(deals.created_at), min(logged.changed_at))
        ) as last_moved_at,
        max(case when logged.log_number = 1 then logged.from_stage_number end) as first_from_stage_number,
        max_by(logged.stage_number, logged.log_number) as last_stage_number,
        max(logged.log_number) as last_log_number,
        max(case when stages.is_won then logged.changed_at end) as won_at,
        -- a log that begins after the win still says where the deal came from
        coalesce(
            max_by(logged.stage_number, case when stages.is_won then logged.log_number end),
            max(case when logged.log_number = 1 and from_stages.is_won then from_stages.stage_number end)
        ) as won_stage_number
    from logged
    inner join deals on logged.deal_number = deals.deal_number
    inner join stages on logged.stage_number = stages.stage_number
    left join stages as from_stages on logged.from_stage_number = from_stages.stage_number
    group by logged.deal_number
),

beginnings as (
    select
        deals.deal_number,
        logs.first_from_stage_number as stage_number,
        least(deals.created_at, logs.first_changed_at) as changed_at,
        stages.position = 1 and deals.created_at <= logs.first_changed_at as is_exact,
        0 as log_number
    from logs
    inner join deals on logs.deal_number = deals.deal_number
    inner join stages on logs.first_from_stage_number = stages.stage_number

    union all

    select
        deals.deal_number,
        stages.stage_number,
        deals._extracted_at as changed_at,
        false as is_exact,
        0 as log_number
    from deals
    inner join stages
        on deals.crm = stages.crm and deals.pipeline = stages.pipeline and deals.stage = stages.stage
    where
        deals.status = 'open'
        and not exists (
            select 1 from logs
            where deals.deal_number = logs.deal_number
        )
),

closings as (
    select
        deals.deal_number,
        endings.stage_number,
        greatest(
            coalesce(deals.closed_at, deals._extracted_at), coalesce(logs.last_moved_at, deals.closed_at)
        ) as changed_at,
        deals.closed_at >= coalesce(logs.last_moved_at, deals.closed_at) as is_exact,
        coalesce(logs.last_log_number, 0) + 1 as log_number
    from deals
    inner join endings
        on
            deals.crm = endings.crm
            and deals.pipeline = endings.pipeline
            and deals.status = endings.status
            and endings.ending_number = 1
    left join logs on deals.deal_number = logs.deal_number
    left join stages on logs.last_stage_number = stages.stage_number
    left join stages as won_stages on logs.won_stage_number = won_stages.stage_number
    where
        not coalesce(deals.status = 'won' and stages.is_won, false)
        -- a stage after the win, of another pipeline or without a place in one, is still won
        and not (
            deals.status = 'won'
            and logs.won_stage_number is not null
            and not coalesce(stages.is_lost, false)
            and not coalesce(stages.pipeline = won_stages.pipeline and stages.position <= won_stages.position, false)
        )
        and not coalesce(deals.status = 'lost' and stages.is_lost, false)
),

afterwards as (
    select
        deals.deal_number,
        stages.stage_number,
        greatest(milestones.reached_at, coalesce(closings.changed_at, logs.won_at)) as changed_at,
        milestones.reached_at >= coalesce(closings.changed_at, logs.won_at) as is_exact,
        coalesce(logs.last_log_number, 0) + 1 + milestones.place as log_number
    from {{ ref('int_deals_milestones_reached') }} as milestones
    inner join deals on milestones.deal_id = deals.deal_id
    inner join stages
        on deals.crm = stages.crm and deals.pipeline = stages.pipeline and milestones.stage = stages.stage
    left join logs on deals.deal_number = logs.deal_number
    left join closings on deals.deal_number = closings.deal_number
    where deals.status = 'won'
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
    changed_at,
    changed_by_id,
    true as is_exact,
    log_number,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from logged
where stage_number is distinct from coalesce(previous_stage_number, from_stage_number)
union all
select
    deal_number,
    stage_number,
    changed_at,
    cast(null as {{ dbt.type_string() }}) as changed_by_id,
    coalesce(is_exact, false) as is_exact,
    log_number,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from implied
