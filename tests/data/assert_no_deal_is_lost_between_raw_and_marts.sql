{{ config(meta={'dagster': {'ref': {'name': 'dim_deals'}}}) }}

-- Every deal that landed, and was created, by as_of is in dim_deals, unless it is deleted, and no other is. So for the generic layout.
with landed as (
    select distinct 'generic:' || deal_id as deal_id
    from {{ source('generic', 'deals') }}
    where
        _extracted_at <= (select as_of from {{ ref('stg_as_of') }})
        and created_at <= (select as_of from {{ ref('stg_as_of') }})
),

accounted as (
    select deal_id from {{ ref('dim_deals') }}
    where crm = 'generic'
    union all
    select deal_id from {{ ref('crm_deals') }}
    where crm = 'generic' and is_deleted
)

select
    landed.deal_id as landed_deal_id,
    accounted.deal_id as accounted_deal_id
from landed
full outer join accounted on landed.deal_id = accounted.deal_id
where landed.deal_id is null or accounted.deal_id is null
