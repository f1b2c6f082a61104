-- The card of each deal over time: one row per moment at which it entered a stage or a field changed, with what was
-- required, filled and known from then on. Several things may happen in one moment; each of its rows tells its end.
with deals as (
    select
        deals.deal_id,
        coalesce(named.map_segment, '*') as map_segment
    from {{ ref('dim_deals') }} as deals
    left join (select distinct map_segment from {{ ref('int_card_fields_required') }} where map_segment <> '*') as named
        on deals.segment = named.map_segment
),

events as (
    select
        visits.deal_id,
        visits.entered_at as changed_at,
        visits.stage_id,
        coalesce(required.required_bits, 0) as required_bits,
        0 as filled_bits,
        0 as known_bits,
        visits._load_id
    from {{ ref('fct_stage_visits') }} as visits
    inner join deals on visits.deal_id = deals.deal_id
    left join {{ ref('int_card_fields_required') }} as required
        on
            deals.map_segment = required.map_segment
            and visits.stage_id = required.stage_id
            and visits.entered_at >= required.holds_from
            and visits.entered_at < required.holds_to
    -- a stage clicked through in one moment asked for nothing
    where visits.exited_at is null or visits.exited_at > visits.entered_at
    union all
    select
        deal_id,
        changed_at,
        null as stage_id,
        null as required_bits,
        filled_bits,
        known_bits,
        _load_id
    from {{ ref('int_card_fields_changed') }}
)

select
    deal_id,
    changed_at,
    _load_id,
    last_value(stage_id ignore nulls) over until_then as stage_id,
    last_value(required_bits ignore nulls) over until_then as required_bits,
    cast(sum(filled_bits) over until_then as integer) as filled_bits,
    cast(sum(known_bits) over until_then as integer) as known_bits
from events
window until_then as (
    partition by deal_id, _load_id
    order by changed_at
    range between unbounded preceding and current row
)
