-- The fields of a card while their CRM did not log them: known since the deal was first seen, and as last seen, until
-- the log begins and tells better. filled_bits and known_bits are differences, as in int_card_fields_changed.
{% set all_bits = card_bits().values() | sum - card_bits()['contact'] - card_bits()['decision_maker'] %}
with seen as (
    select
        seen.*,
        {{ all_bits }} - coalesce(logs.logged_bits, 0) as unlogged_bits
    from {{ ref('int_cards_seen') }} as seen
    left join {{ ref('int_card_logs_begun') }} as logs
        on seen.crm = logs.crm and seen.seen_at >= logs.began_at and seen.seen_at < logs.next_began_at
)

select
    deal_number,
    seen_at as changed_at,
    (card_bits & unlogged_bits) - (coalesce(previous_card_bits, 0) & unlogged_bits) as filled_bits,
    case when previous_card_bits is null then unlogged_bits else 0 end as known_bits,
    _load_id
from seen
union all
select
    seen.deal_number,
    logs.began_at as changed_at,
    -(seen.card_bits & logs.begun_bits) as filled_bits,
    0 as known_bits,
    seen._load_id
from {{ ref('int_cards_seen') }} as seen
inner join {{ ref('int_card_logs_begun') }} as logs
    on
        seen.crm = logs.crm
        and seen.seen_at < logs.began_at
        and (seen.next_seen_at is null or seen.next_seen_at >= logs.began_at)
