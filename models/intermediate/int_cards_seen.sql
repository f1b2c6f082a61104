{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- What the extracts of many nights saw on a deal's card: which fields were filled, and from when to when. An edit that
-- fills or empties no field makes a new version and no new row. The sum of bits stands for a set of fields.
with versions as (
    select
        numbers.deal_number,
        deals.crm,
        deals.created_at,
        -- nothing was seen of a deal before it was created
        greatest(versions._extracted_at, deals.created_at) as seen_at,
        versions._extracted_at,
        0
        {% for column in card_columns() %}
            + case
                when cast(versions.{{ column }} as {{ dbt.type_string() }}) <> '' then {{ card_bits()[column] }}
                else 0
            end
        {% endfor %}
            as card_bits
    from {{ ref('crm_deal_versions') }} as versions
    inner join {{ ref('crm_deals') }} as deals on versions.deal_id = deals.deal_id
    inner join {{ ref('int_deals_numbered') }} as numbers on versions.deal_id = numbers.deal_id
    where
        not versions.is_deleted
        and not deals.is_deleted
        and {{ is_touched('versions.deal_id') }}
        and {{ is_touched('deals.deal_id') }}
),

nights as (
    select
        *,
        lag(card_bits) over (partition by deal_number order by _extracted_at) as previous_card_bits
    from versions
)

select
    deal_number,
    crm,
    created_at,
    seen_at,
    lead(seen_at) over (partition by deal_number order by _extracted_at) as next_seen_at,
    card_bits,
    previous_card_bits,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from nights
where card_bits is distinct from previous_card_bits
