{{ config(meta={'dagster': {'ref': {'name': 'deal_risk_history'}}}) }}

-- What is kept stands there once, however often a night was run.
select
    'deal_risk_history' as kept_in,
    deal_id as said_of,
    as_of
from {{ ref('deal_risk_history') }}
group by deal_id, as_of
having count(*) > 1
union all
select
    'bookings_nowcast_history' as kept_in,
    horizon || ' ' || segment || ' ' || team || ' ' || currency as said_of,
    as_of
from {{ ref('bookings_nowcast_history') }}
group by horizon, segment, team, currency, as_of
having count(*) > 1
