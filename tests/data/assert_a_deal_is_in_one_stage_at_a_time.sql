-- A deal is still in one stage at most.
select
    deal_id,
    count(*) as open_stays
from {{ ref('fct_stage_visits') }}
where exit_type = 'still_there'
group by deal_id
having count(*) > 1
