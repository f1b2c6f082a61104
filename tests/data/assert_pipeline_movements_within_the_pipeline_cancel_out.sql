-- What is pulled into one horizon was pushed out of another on that day; the same for the turn of the quarter, and
-- for hand-overs between teams and pipelines.
select
    date_day,
    segment,
    currency
from {{ ref('fct_pipeline_movements') }}
group by date_day, segment, currency
having
    sum(pulled_in_deals - pushed_out_deals) <> 0
    or sum(pulled_in_amount - pushed_out_amount) <> 0
    or sum(rolled_in_deals - rolled_out_deals) <> 0
    or sum(rolled_in_amount - rolled_out_amount) <> 0
    or sum(transferred_in_deals - transferred_out_deals) <> 0
    or sum(transferred_in_amount - transferred_out_amount) <> 0
