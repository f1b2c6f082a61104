-- A deal that is won or lost was won or lost at some time, and an open one at none.
select
    deal_id,
    status,
    won_at,
    lost_at
from {{ ref('fct_deals') }}
where
    (status = 'won') <> (won_at is not null)
    or (status = 'lost') <> (lost_at is not null)
