{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- The CRM also logs a change when a rep re-saves the same stage; those repeats are dropped. And the log alone
-- does not cover a deal's life. Three things are added, each marked by is_exact = false where its time is only
-- a bound:
--   the stage a deal was in before its first logged move (it says where it came from);
--   for a deal without any log, the stage it was seen in, from the time it was seen, never from its
--   creation: that would carry today's stage into the past;
--   the won or lost stage of a deal that was closed by its status alone.
with deals as (
    select *
    from {{ ref('crm_deals') }}
    where
        not is_deleted
        and {{ is_touched('deal_id') }}
),

stages as (
    select * from {{ ref('int_stages_completed') }}
),

endings as (
    select
        crm,
        pipeline,
        case when is_won then 'won' else 'lost' end as status,
        stage_id,
        row_number() over (
            partition by crm, pipeline, case when is_won then 'won' else 'lost' end order by position, stage_id
        ) as ending_number
    from stages
    where is_won or is_lost
),

logged as (
    select
        changes.*,
        row_number() over log_of_deal as log_number,
        lag(changes.stage_id) over log_of_deal as previous_stage_id
    from {{ ref('int_stage_changes_resolved') }} as changes
    where {{ is_touched('changes.deal_id') }}
    window log_of_deal as (
        partition by changes.deal_id
        order by
            changes.changed_at,
            changes.recorded_at,
            -- moves of one moment: first forward in the pipeline's order, then back against it
            case
                when changes.position < changes.from_position then 1000000 - 1000 * changes.from_position
                else 1000 * changes.from_position
            end + changes.position,
            changes.stage_id,
            -- the same move logged twice: whoever comes first, it is the same one every night
            changes.from_stage_id,
            changes.changed_by_id
    )
),

logs as (
    select
        logged.deal_id,
        min(logged.changed_at) as first_changed_at,
        -- re-saves are no moves; where there is nothing else, the deal is where it was since its creation
        coalesce(
            max(
                case
                    when logged.stage_id is distinct from coalesce(logged.previous_stage_id, logged.from_stage_id)
                        then logged.changed_at
                end
            ),
            least(min(deals.created_at), min(logged.changed_at))
        ) as last_moved_at,
        max(case when logged.log_number = 1 then logged.from_stage_id end) as first_from_stage_id,
        max_by(logged.stage_id, logged.log_number) as last_stage_id,
        max(logged.log_number) as last_log_number,
        -- a log that begins after the win still says where the deal came from
        coalesce(
            max_by(logged.stage_id, case when stages.is_won then logged.log_number end),
            max(case when logged.log_number = 1 and from_stages.is_won then from_stages.stage_id end)
        ) as won_stage_id
    from logged
    inner join deals on logged.deal_id = deals.deal_id
    left join stages as from_stages on logged.from_stage_id = from_stages.stage_id
    left join stages on logged.stage_id = stages.stage_id
    group by logged.deal_id
),

implied as (
    select
        deals.deal_id,
        logs.first_from_stage_id as stage_id,
        least(deals.created_at, logs.first_changed_at) as changed_at,
        stages.position = 1 and deals.created_at <= logs.first_changed_at as is_exact,
        0 as log_number
    from logs
    inner join deals on logs.deal_id = deals.deal_id
    left join stages on logs.first_from_stage_id = stages.stage_id
    where logs.first_from_stage_id is not null

    union all

    select
        deals.deal_id,
        coalesce(stages.stage_id, deals.crm || ':' || deals.pipeline || ':' || deals.stage) as stage_id,
        deals._extracted_at as changed_at,
        false as is_exact,
        0 as log_number
    from deals
    left join stages
        on deals.crm = stages.crm and deals.pipeline = stages.pipeline and deals.stage = stages.stage
    where
        deals.status = 'open'
        and not exists (
            select 1 from logs
            where deals.deal_id = logs.deal_id
        )

    union all

    select
        deals.deal_id,
        endings.stage_id,
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
    left join logs on deals.deal_id = logs.deal_id
    left join stages on logs.last_stage_id = stages.stage_id
    left join stages as won_stages on logs.won_stage_id = won_stages.stage_id
    where
        not coalesce(deals.status = 'won' and stages.is_won, false)
        -- a stage after the win, of another pipeline or without a place in one, is still won
        and not (
            deals.status = 'won'
            and logs.won_stage_id is not null
            and not coalesce(stages.is_lost, false)
            and not coalesce(stages.pipeline = won_stages.pipeline and stages.position <= won_stages.position, false)
        )
        and not coalesce(deals.status = 'lost' and stages.is_lost, false)
)

select
    deal_id,
    stage_id,
    changed_at,
    changed_by_id,
    true as is_exact,
    log_number,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from logged
where stage_id is distinct from coalesce(previous_stage_id, from_stage_id)
union all
select
    deal_id,
    stage_id,
    changed_at,
    cast(null as {{ dbt.type_string() }}) as changed_by_id,
    coalesce(is_exact, false) as is_exact,
    log_number,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from implied
