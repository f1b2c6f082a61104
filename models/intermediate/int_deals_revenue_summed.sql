-- Money is added up only in the deal's own currency; a payment or refund in another one leaves the sum unknown.
select
    events.deal_id,
    min(case when events.kind = 'first_use' then events.occurred_at end) as first_use_at,
    min(case when events.kind = 'invoice' then events.occurred_at end) as first_invoice_at,
    min(case when events.kind = 'payment' then events.occurred_at end) as first_payment_at,
    case
        when
            sum(
                case
                    when events.kind in ('payment', 'refund') and events.currency is distinct from deals.currency then 1
                    else 0
                end
            ) = 0
            then sum(case events.kind when 'payment' then events.amount when 'refund' then -events.amount else 0 end)
    end as paid_amount
from {{ ref('crm_revenue_events') }} as events
inner join {{ ref('crm_deals') }} as deals on events.deal_id = deals.deal_id
group by events.deal_id
