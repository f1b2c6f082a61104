-- Edits of amount, close date or owner at a weekend or on a month's last day, so far.
with edits as (
    select
        changes.deal_id,
        changes.changed_at,
        changes._load_id,
        count(*) as edits
    from {{ ref('fct_deal_changes') }} as changes
    inner join {{ ref('int_days_spanned') }} as days on cast(changes.changed_at as date) = days.date_day
    where
        (days.iso_day_of_week > 5 or changes.is_month_end_edit)
        and changes.is_changed_at_exact
        and {{ is_newly_built('changes._load_id') }}
    group by changes.deal_id, changes.changed_at, changes._load_id
)

select
    deal_id,
    changed_at,
    cast(sum(edits) over (partition by deal_id, _load_id order by changed_at) as double) as value,
    _load_id
from edits
