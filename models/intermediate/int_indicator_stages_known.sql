{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- In which stage a deal was known to be, and from when to when. A move may be recorded days after it was made; until
-- then nobody could act on it, and no indicator may know it. A move that turns up after a later one is no news.
with stages as (
    select
        stages.*,
        -- a stage behind the win is onboarding: the deal is won there
        not stages.is_won and not stages.is_lost and coalesce(stages.position < wins.position, true) as is_open_stage
    from {{ ref('int_stages_completed') }} as stages
    left join (
        select
            crm,
            pipeline,
            min(position) as position
        from {{ ref('int_stages_completed') }}
        where is_won
        group by crm, pipeline
    ) as wins on stages.crm = wins.crm and stages.pipeline = wins.pipeline
),

recorded as (
    select
        numbers.deal_number,
        changes.changed_at,
        min(changes.recorded_at) as recorded_at
    from {{ ref('crm_stage_changes') }} as changes
    inner join {{ ref('int_deals_numbered') }} as numbers on changes.deal_id = numbers.deal_id
    where changes.recorded_at > changes.changed_at and {{ is_touched('changes.deal_id') }}
    group by numbers.deal_number, changes.changed_at
),

visits as (
    select
        visits._deal_number as deal_number,
        visits.deal_id,
        visits.stage_id,
        visits.visit_number,
        visits.stage_visit_number,
        visits.entered_at,
        greatest(visits.entered_at, coalesce(recorded.recorded_at, visits.entered_at)) as known_at,
        visits._load_id
    from {{ ref('fct_stage_visits') }} as visits
    left join recorded on visits._deal_number = recorded.deal_number and visits.entered_at = recorded.changed_at
    where {{ is_newly_built('visits._load_id') }}
),

ordered as (
    select
        *,
        max(visit_number) over (
            partition by deal_number, _load_id
            order by known_at, visit_number
            rows between unbounded preceding and 1 preceding
        ) as newest_known
    from visits
),

news as (
    select
        *,
        lag(stage_id) over timeline as previous_stage_id,
        lead(known_at) over timeline as until_at
    from ordered
    where visit_number > coalesce(newest_known, 0)
    window timeline as (partition by deal_number, _load_id order by visit_number)
)

select
    news.deal_number,
    news.deal_id,
    news.stage_id,
    news.previous_stage_id,
    stages.phase,
    news.visit_number,
    news.stage_visit_number,
    stages.is_open_stage,
    coalesce(
        stages.pipeline = before.pipeline and stages.position < before.position
        and before.is_open_stage and stages.is_open_stage, false
    ) as is_move_back,
    news.entered_at,
    news.known_at,
    news.until_at,
    news._load_id
from news
inner join stages on news.stage_id = stages.stage_id
left join stages as before on news.previous_stage_id = before.stage_id
