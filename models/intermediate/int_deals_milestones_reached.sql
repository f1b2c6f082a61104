-- What a client does after the win, as stages. A client that pays before using anything has no stay in first use:
-- the journey does not go back.
with revenue as (
    select
        deal_id,
        first_use_at,
        least(first_invoice_at, first_payment_at) as first_revenue_at
    from {{ ref('int_deals_revenue_summed') }}
)

select
    deal_id,
    '(first use)' as stage,
    1 as place,
    first_use_at as reached_at
from revenue
where first_use_at <= coalesce(first_revenue_at, first_use_at)
union all
select
    deal_id,
    '(first revenue)' as stage,
    2 as place,
    first_revenue_at as reached_at
from revenue
where first_revenue_at is not null
