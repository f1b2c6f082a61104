-- How much less the deal is worth than at its best so far, as a share; of several changes in one moment the last counts.
with amounts as (
    select
        deal_id,
        changed_at,
        lead(changed_at) over log_of_amount as next_changed_at,
        new_amount,
        max(greatest(coalesce(old_amount, 0), coalesce(new_amount, 0))) over log_of_amount as best_amount,
        _load_id
    from {{ ref('fct_deal_changes') }}
    where field = 'amount' and {{ is_newly_built() }}
    window log_of_amount as (partition by deal_id, _load_id order by change_number)
)

select
    deal_id,
    changed_at,
    1 - new_amount / cast(nullif(best_amount, 0) as double) as value,
    _load_id
from amounts
where next_changed_at is distinct from changed_at
