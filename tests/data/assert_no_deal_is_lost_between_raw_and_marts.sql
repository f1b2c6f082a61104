{{ config(meta={'dagster': {'ref': {'name': 'dim_deals'}}}) }}

-- Every deal that landed by as_of is in dim_deals, unless it is deleted, and no other is.
{% set deals = {
    'generic': ('deals', 'deal_id'),
    'hubspot': ('deal', 'deal_id'),
    'pipedrive': ('deals', 'id'),
    'salesforce': ('opportunity', 'id'),
} %}
with landed as (
    {% for crm, (table, id) in deals.items() %}
        select distinct '{{ crm }}:' || {{ id }} as deal_id
        from {{ source(crm, table) }}
        where _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

accounted as (
    select deal_id from {{ ref('dim_deals') }}
    where crm in ('{{ deals.keys() | join("', '") }}')
    union all
    select deal_id from {{ ref('crm_deals') }}
    where crm in ('{{ deals.keys() | join("', '") }}') and is_deleted
)

select
    landed.deal_id as landed_deal_id,
    accounted.deal_id as accounted_deal_id
from landed
full outer join accounted on landed.deal_id = accounted.deal_id
where landed.deal_id is null or accounted.deal_id is null
