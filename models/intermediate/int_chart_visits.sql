{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- What the charts read of a stay: narrow, so that a night can count all of them again. Stays whose beginning nobody
-- knows have no age, and stays in which a deal is won or lost have no way out.
select
    visits._deal_number as deal_number,
    cast(deals.created_at as date) as created_date,
    visits.stage_id,
    visits.segment,
    visits.channel,
    visits.team,
    visits.exit_type,
    cast(visits.entered_at as date) as entered_date,
    cast(visits.exited_at as date) as exited_date,
    visits._load_id
from {{ ref('fct_stage_visits') }} as visits
inner join {{ ref('dim_deals') }} as deals on visits.deal_id = deals.deal_id
inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
where
    not stages.is_won
    and not stages.is_lost
    and not visits.is_left_truncated
    and not visits.is_after_closing
    and {{ is_newly_built('visits._load_id') }}
