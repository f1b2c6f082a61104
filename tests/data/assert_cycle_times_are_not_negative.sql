{{ config(meta={'dagster': {'ref': {'name': 'fct_deals'}}}) }}

-- Time runs from the beginning to the end. A deal that its CRM created after its end is the CRM's own fault
-- and another test's.
select
    deal_id,
    created_at as began_at,
    coalesce(won_at, lost_at) as ended_at,
    coalesce(days_to_win, days_to_loss) as days
from {{ ref('fct_deals') }}
where
    (days_to_win < 0 and won_at >= created_at)
    or (days_to_loss < 0 and lost_at >= created_at)
union all
select
    deal_id,
    entered_at,
    exited_at,
    days_in_stage
from {{ ref('fct_stage_visits') }}
where days_in_stage < 0
