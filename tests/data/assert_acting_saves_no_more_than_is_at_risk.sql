-- The list is ranked by what acting could save: a part of what is at risk, and never less than nothing.
select
    deal_id,
    amount_at_risk,
    amount_saved_by_acting
from {{ ref('deals_needing_attention') }}
where
    amount_saved_by_acting < 0
    or amount_saved_by_acting > greatest(coalesce(amount_at_risk, 0), 0)
