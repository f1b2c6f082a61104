{{ config(meta={'dagster': {'ref': {'name': 'dim_deals'}}}) }}

-- Every deal has exactly one segment, atypical where no rule knows one, and a reason for it in words.
select
    deals.deal_id,
    count(segmented.deal_id) as segments
from {{ ref('dim_deals') }} as deals
left join {{ ref('int_deals_segmented') }} as segmented
    on
        deals.deal_id = segmented.deal_id
        and deals.segment = segmented.segment
        and length(segmented.segment_reason) > 0
group by deals.deal_id
having count(segmented.deal_id) <> 1
