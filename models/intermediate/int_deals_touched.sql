{{ config(materialized='table') }}

-- The night's work list, materialised because it is small and the planner cannot know that of the view below.
-- Empty before the first build, when everything is built anyway.
with touched as (
    select
        deal_id,
        load_id
    from {{ ref('crm_deal_loads') }}
    where
        load_id > {{ oldest_build() }}
        and load_id <= (select newest_load_id from {{ ref('stg_as_of') }})
    union
    -- A verdict is no load. Those there are, few as they are, count anew with every load.
    select
        verdicts.deal_id,
        as_of.newest_load_id as load_id
    from {{ ref('review_verdicts') }} as verdicts
    cross join {{ ref('stg_as_of') }} as as_of
    where as_of.newest_load_id > {{ oldest_build() }}
    union
    -- What a CRM gives for the first time changes what can be told of all its deals.
    select
        deals.deal_id,
        found._load_id as load_id
    from {{ ref('int_capabilities_found') }} as found
    inner join {{ ref('crm_deals') }} as deals on found.crm = deals.crm
    where
        found._load_id > {{ oldest_build() }}
        and found._load_id <= (select newest_load_id from {{ ref('stg_as_of') }})
)

select
    touched.deal_id,
    numbers.deal_number,
    touched.load_id
from touched
left join {{ ref('int_deals_numbered') }} as numbers on touched.deal_id = numbers.deal_id
