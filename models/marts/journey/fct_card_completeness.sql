{{ config(materialized='incremental', incremental_strategy='by_deal') }}

-- A step function: a row holds from changed_at until the deal's next one. Rows that tell nothing new are left out.
{% set bits = card_bits() %}
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
),

-- the sets there are, each named once
named as (
    select
        sets.field_bits,
        concat_ws(
            ', '
            {% for field, bit in bits.items() %}
                , case when (sets.field_bits & {{ bit }}) > 0 then '{{ field }}' end
            {% endfor %}
        ) as fields
    from (
        select missing_bits as field_bits from news
        union
        select unknown_bits as field_bits from news
    ) as sets
    where sets.field_bits > 0
)

select
    news.deal_id,
    news.stage_id,
    missing.fields as missing_fields,
    case when news.held_bits is null then 'not known then: ' || unknown.fields end as not_measurable_reason,
    news.fields_required,
    news.fields_filled,
    news.fields_filled / cast(nullif(news.fields_required, 0) as double) as completeness,
    news.changed_at,
    news._load_id
from news
left join named as missing on news.missing_bits = missing.field_bits
left join named as unknown on news.unknown_bits = unknown.field_bits
