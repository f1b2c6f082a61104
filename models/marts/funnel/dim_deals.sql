{{ config(materialized='incremental', incremental_strategy='by_deal') }}

with calendars as (
    select distinct country from {{ ref('business_hours') }}
)

select
    deals.deal_id,
    deals.account_id,
    deals.owner_id,
    deals.crm,
    deals.deal_name,
    deals.pipeline,
    segmented.segment,
    segmented.segment_reason,
    coalesce(calendars.country, 'default') as country,
    coalesce(owners.team, 'unknown') as team,
    coalesce(deals.channel, 'unknown') as channel,
    deals.product,
    deals.stage,
    deals.status,
    deals.currency,
    deals.loss_reason,
    deals.competitor,
    deals.amount,
    deals.margin_rate,
    coalesce(reviewed.norms_verdict = 'exclude_from_norms', false) as is_excluded_from_norms,
    deals.created_at,
    deals.expected_close_date,
    numbers.deal_number as _deal_number,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from {{ ref('crm_deals') }} as deals
left join {{ ref('int_deals_numbered') }} as numbers on deals.deal_id = numbers.deal_id
left join {{ ref('crm_accounts') }} as accounts on deals.account_id = accounts.account_id
left join {{ ref('crm_users') }} as owners on deals.owner_id = owners.user_id
left join {{ ref('int_deals_segmented') }} as segmented on deals.deal_id = segmented.deal_id
left join {{ ref('int_deals_reviewed') }} as reviewed on deals.deal_id = reviewed.deal_id
left join calendars on lower(replace(trim(accounts.region), ' ', '_')) = calendars.country
where
    not deals.is_deleted
    and {{ is_touched('deals.deal_id') }}
