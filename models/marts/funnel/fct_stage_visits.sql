{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- The segment stands here as well as in dim_deals: every cohort and chart groups by it, and a change of it
-- rebuilds the deal.
select
    visits.deal_id || '#' || cast(visits.visit_number as {{ dbt.type_string() }}) as stage_visit_id,
    visits.deal_id,
    visits.stage_id,
    visits.next_stage_id,
    visits.entered_by_id,
    deals.segment,
    cast(visits.visit_number as integer) as visit_number,
    cast(visits.stage_visit_number as integer) as stage_visit_number,
    visits.exit_type,
    -- a stay that has not ended has no duration yet: it is censored, not short
    cast({{ dbt.datediff('visits.entered_at', 'visits.exited_at', 'day') }} as integer) as days_in_stage,
    visits.stage_visit_number > 1 as is_reentry,
    visits.is_entered_at_exact,
    visits.entered_at,
    visits.exited_at,
    visits._load_id
from {{ ref('int_stage_visits_built') }} as visits
inner join {{ ref('dim_deals') }} as deals on visits.deal_id = deals.deal_id
where {{ is_newly_built('visits._load_id') }}
