-- How much less the deal is worth than at its best so far, as a share.
with amounts as (
    select
        deal_id,
        changed_at,
        change_number,
        new_amount,
        max(greatest(coalesce(old_amount, 0), coalesce(new_amount, 0))) over (
            partition by deal_id, _load_id
            order by change_number
        ) as best_amount,
        _load_id
    from {{ ref('fct_deal_changes') }}
    where field = 'amount' and {{ is_newly_built() }}
)

select
    deal_id,
    changed_at,
    max_by(1 - new_amount / cast(nullif(best_amount, 0) as double), change_number) as value,
    _load_id
from amounts
group by deal_id, changed_at, _load_id
