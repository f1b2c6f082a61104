-- Every stay that began has exactly one outcome: the outcomes of a cohort sum to its entries.
select *
from {{ ref('cohort_stage_conversion') }}
where entered <> advanced + lost + moved_back + handed_off + still_there
