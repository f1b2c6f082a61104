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
    window card_of_deal as (partition by deal_number, _load_id order by changed_at)
),

news as (
    select
        deal_number,
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
    deals.deal_id,
    news.stage_id,
    case when news.missing_bits > 0 then {{ card_fields_named('news.missing_bits') }} end as missing_fields,
    case when news.held_bits is null then 'not known then: ' || {{ card_fields_named('news.unknown_bits') }} end
        as not_measurable_reason,
    news.fields_required,
    news.fields_filled,
    news.fields_filled / cast(nullif(news.fields_required, 0) as double) as completeness,
    news.changed_at,
    news._load_id
from news
inner join {{ ref('dim_deals') }} as deals on news.deal_number = deals._deal_number
