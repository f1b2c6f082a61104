-- The card's own step function; null while it is not known what the card held.
select
    deal_id,
    changed_at,
    completeness as value,
    _load_id
from {{ ref('fct_card_completeness') }}
where {{ is_newly_built() }}
