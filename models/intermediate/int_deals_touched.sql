{{ config(materialized='table') }}

-- The night's work list, materialised because it is small and the planner cannot know that of the view below.
-- Empty before the first build, when everything is built anyway.
select distinct
    loads.deal_id,
    numbers.deal_number,
    loads.load_id
from {{ ref('crm_deal_loads') }} as loads
left join {{ ref('int_deals_numbered') }} as numbers on loads.deal_id = numbers.deal_id
where
    loads.load_id > {{ oldest_build() }}
    and loads.load_id <= (select newest_load_id from {{ ref('stg_as_of') }})
