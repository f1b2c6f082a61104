{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- What the extracts of many nights saw of a deal: in which stage, and whether open, won or lost. A won or lost deal is
-- in a stage that says so: the one it shows, if that does, else the first of its pipeline. An edit of anything else,
-- the amount say, makes a new version and no new row.
with stages as (
    select * from {{ ref('int_stages_named') }}
),

versions as (
    select
        numbers.deal_number,
        case
            when versions.status = 'open' then stages.stage_number
            when versions.status = 'won' and stages.is_won then stages.stage_number
            when versions.status = 'lost' and stages.is_lost then stages.stage_number
            else endings.stage_number
        end as stage_number,
        versions.status,
        case when versions.status <> 'open' then versions.closed_at end as closed_at,
        versions._extracted_at as seen_at
    from {{ ref('crm_deal_versions') }} as versions
    inner join {{ ref('int_deals_numbered') }} as numbers on versions.deal_id = numbers.deal_id
    inner join stages
        on versions.crm = stages.crm and versions.pipeline = stages.pipeline and versions.stage = stages.stage
    left join {{ ref('int_stages_ended_in') }} as endings
        on versions.crm = endings.crm and versions.pipeline = endings.pipeline and versions.status = endings.status
    where
        not versions.is_deleted
        and {{ is_touched('versions.deal_id') }}
),

seen as (
    select
        *,
        lag(stage_number) over nights as previous_stage_number,
        lag(status) over nights as previous_status,
        lead(stage_number) over nights as next_stage_number,
        lead(status) over nights as next_status
    from versions
    window nights as (partition by deal_number order by seen_at)
),

runs as (
    select
        *,
        max(
            case
                when stage_number is distinct from previous_stage_number or status is distinct from previous_status
                    then seen_at
            end
        ) over nights_so_far as first_seen_at,
        max(case when status is distinct from previous_status then seen_at end) over nights_so_far
            as status_first_seen_at
    from seen
    window nights_so_far as (
        partition by deal_number
        order by seen_at
        rows between unbounded preceding and current row
    )
)

select
    deal_number,
    stage_number,
    status,
    closed_at,
    first_seen_at,
    status_first_seen_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from runs
-- the last version of a run knows best when the deal was closed
where stage_number is distinct from next_stage_number or status is distinct from next_status
