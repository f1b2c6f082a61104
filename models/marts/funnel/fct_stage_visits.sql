{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- The segment stands here as well as in dim_deals: every cohort and chart groups by it, and a change of it
-- rebuilds the deal.
with deals as (
    select
        numbers.deal_number,
        deals.deal_id,
        deals.segment,
        deals.created_at
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('int_deals_numbered') }} as numbers on deals.deal_id = numbers.deal_id
    where {{ is_newly_built('deals._load_id') }}
),

visits as (
    select
        visits.*,
        deals.deal_id,
        deals.segment,
        visits.visit_number = 1 and (
            not visits.is_entered_at_exact
            or visits.entered_at > {{ dbt.dateadd('day', 1, 'deals.created_at') }}
        ) as is_left_truncated
    from {{ ref('int_stage_visits_built') }} as visits
    inner join deals on visits.deal_number = deals.deal_number
    where {{ is_newly_built('visits._load_id') }}
)

select
    deal_id || '#' || cast(visit_number as {{ dbt.type_string() }}) as stage_visit_id,
    deal_id,
    stage_id,
    next_stage_id,
    entered_by_id,
    segment,
    cast(visit_number as integer) as visit_number,
    cast(stage_visit_number as integer) as stage_visit_number,
    exit_type,
    -- a stay that has not ended has no duration yet: it is censored, not short
    cast({{ dbt.datediff('entered_at', 'exited_at', 'day') }} as integer) as days_in_stage,
    cast(case when not is_left_truncated then stages_skipped end as integer) as stages_skipped,
    stage_visit_number > 1 as is_reentry,
    is_reopening,
    is_left_truncated,
    is_entered_at_exact,
    entered_at,
    exited_at,
    _load_id
from visits
