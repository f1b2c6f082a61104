{{ config(meta={'dagster': {'ref': {'name': 'fct_stage_visits'}}}) }}

-- A deal is still in one stage at most.
select
    deal_id,
    count(*) as open_stays
from {{ ref('fct_stage_visits') }}
where exit_type = 'still_there' and _load_id = (select newest_load_id from {{ ref('stg_as_of') }})
group by deal_id
having count(*) > 1
