{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'fct_stage_visits'}}}) }}

-- An open deal stands in the stage that its CRM shows. Where it does not, its log has a gap, and so have its visits.
select
    deals.deal_id,
    deals.stage as shown_stage,
    stages.stage as last_logged_stage
from {{ ref('dim_deals') }} as deals
inner join {{ ref('fct_stage_visits') }} as visits
    on deals.deal_id = visits.deal_id and visits.exit_type = 'still_there'
inner join {{ ref('dim_stages') }} as stages on visits.stage_id = stages.stage_id
where
    deals.status = 'open'
    and visits._load_id = (select newest_load_id from {{ ref('stg_as_of') }})
    and stages.is_defined
    and stages.stage <> deals.stage
