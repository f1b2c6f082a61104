{{ config(meta={'dagster': {'ref': {'name': 'dim_deals'}}}) }}

-- Every deal that landed, and was created, by as_of is in dim_deals, unless it is deleted, and no other is.
{% set deals = {
    'amocrm': ('leads', 'id', 'created_at'),
    'bitrix24': ('deals', 'id', 'date_create'),
    'generic': ('deals', 'deal_id', 'created_at'),
    'hubspot': ('deal', 'deal_id', 'property_createdate'),
    'pipedrive': ('deals', 'id', 'add_time'),
    'salesforce': ('opportunity', 'id', 'created_date'),
} %}
with landed as (
    {% for crm, (table, id, created_at) in deals.items() %}
        select distinct '{{ crm }}:' || {{ id }} as deal_id
        from {{ source(crm, table) }}
        where
            _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
            and {{ created_at }} <= (select as_of from {{ ref('stg_as_of') }})
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
