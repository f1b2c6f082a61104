{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- A step function: a row holds from changed_at until the deal's next one. Rows that tell nothing new are left out.
with cards as (
    select
        *,
        case when (required_bits & known_bits) = required_bits then required_bits & filled_bits end as held_bits
    from {{ ref('int_cards_timed') }}
    where {{ is_newly_built() }}
),

told as (
    select
        *,
        lag(required_bits) over card_of_deal as previous_required_bits,
        lag(held_bits) over card_of_deal as previous_held_bits
    from cards
    window card_of_deal as (partition by deal_id, _load_id order by changed_at)
),

news as (
    select
        deal_id,
        stage_id,
        changed_at,
        held_bits,
        required_bits - (required_bits & held_bits) as missing_bits,
        required_bits - (required_bits & known_bits) as unknown_bits,
        cast(bit_count(required_bits) as integer) as fields_required,
        cast(bit_count(held_bits) as integer) as fields_filled,
        _load_id
    from told
    where
        required_bits is distinct from previous_required_bits
        or held_bits is distinct from previous_held_bits
)

select
    deal_id,
    stage_id,
    case when missing_bits > 0 then {{ card_fields_named('missing_bits') }} end as missing_fields,
    case when held_bits is null then 'not known then: ' || {{ card_fields_named('unknown_bits') }} end as not_measurable_reason,
    fields_required,
    fields_filled,
    fields_filled / cast(nullif(fields_required, 0) as double) as completeness,
    changed_at,
    _load_id
from news
