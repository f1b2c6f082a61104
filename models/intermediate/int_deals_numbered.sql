{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- A small whole number for each deal. The history of a deal is sorted by it, which costs a third of sorting by its
-- name. A number once given stays: tables of earlier nights hold it. It is never published.
with deals as (
    select deal_id from {{ ref('crm_deals') }}
    {% if is_incremental() %}
        where deal_id not in (select deal_id from {{ this }})
    {% endif %}
)

select
    deal_id,
    row_number() over (order by deal_id)
    {%- if is_incremental() %} + (select coalesce(max(deal_number), 0) from {{ this }}){% endif %} as deal_number
from deals
