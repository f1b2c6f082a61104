-- What an open deal is compared with: only what had ended by as_of, so nothing is part of its own yardstick. A deal
-- of no known segment belongs to no yardstick, nor does one that a person has ruled out.
select
    deals.deal_id,
    deals.segment,
    deals.currency,
    deals.amount,
    coalesce(facts.days_to_win, facts.days_to_loss) as days_to_end,
    facts.moved_back_count
from {{ ref('dim_deals') }} as deals
inner join {{ ref('fct_deals') }} as facts on deals.deal_id = facts.deal_id
where
    deals.status in ('won', 'lost')
    and deals.segment <> 'atypical'
    and not deals.is_excluded_from_norms
