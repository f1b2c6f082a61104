-- What became filled, empty or known on a card, and when. filled_bits and known_bits are differences: their sums up to
-- a moment tell the card then. The sum of bits stands for a set of fields.
select * from {{ ref('int_card_log_read') }}
union all
select * from {{ ref('int_card_values_seen') }}
where filled_bits <> 0 or known_bits <> 0
union all
select * from {{ ref('int_card_people_added') }}
