{{ config(materialized='table') }}

-- The night's work list, materialised because it is small and the planner cannot know that of the view below.
-- Empty before the first build, when everything is built anyway.
select distinct
    deal_id,
    load_id
from {{ ref('crm_deal_loads') }}
where
    load_id > {{ oldest_build() }}
    and load_id <= (select newest_load_id from {{ ref('stg_as_of') }})
