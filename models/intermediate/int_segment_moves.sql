{{ config(materialized='table') }}

-- How often a segment's ended deals went from one stage to each other one. A stay in a won or lost stage that lasts
-- counts among the ways out of it, so that leaving it again is as rare as it is.
with moves as (
    select
        norms.segment,
        visits.stage_id,
        visits.next_stage_id,
        count(*) as move_count
    from {{ ref('fct_stage_visits') }} as visits
    inner join {{ ref('int_deals_in_norms') }} as norms on visits.deal_id = norms.deal_id
    group by norms.segment, visits.stage_id, visits.next_stage_id
)

select
    segment,
    stage_id,
    next_stage_id,
    move_count,
    cast(sum(move_count) over (partition by segment, stage_id) as bigint) as stay_count
from moves
