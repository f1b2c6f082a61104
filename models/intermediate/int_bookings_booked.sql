{{ config(materialized='table') }}

-- What was booked, and when: every nowcast and every forecast beside it is held against this. An amount is that of today.
-- Grain: one row per day, segment, team and currency; `all` rolls up, so it is additive within a kind of roll-up only.
select
    cast(facts.won_at as date) as won_on,
    case when grouping(deals.segment) = 0 then deals.segment else 'all' end as segment,
    case when grouping(deals.team) = 0 then deals.team else 'all' end as team,
    coalesce(deals.currency, 'unknown') as currency,
    cast(sum(deals.amount) as double) as amount
from {{ ref('fct_deals') }} as facts
inner join {{ ref('dim_deals') }} as deals on facts.deal_id = deals.deal_id
where facts.won_at is not null
group by grouping sets (
    (cast(facts.won_at as date), coalesce(deals.currency, 'unknown'), deals.segment, deals.team),
    (cast(facts.won_at as date), coalesce(deals.currency, 'unknown'), deals.segment),
    (cast(facts.won_at as date), coalesce(deals.currency, 'unknown'), deals.team),
    (cast(facts.won_at as date), coalesce(deals.currency, 'unknown'))
)
