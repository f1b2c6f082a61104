{{ config(materialized='incremental', incremental_strategy='by_deal') }}

select
    deals.deal_id,
    deals.account_id,
    deals.owner_id,
    deals.crm,
    deals.deal_name,
    deals.pipeline,
    coalesce(accounts.segment, 'unknown') as segment,
    coalesce(deals.channel, 'unknown') as channel,
    deals.product,
    deals.stage,
    deals.status,
    deals.currency,
    deals.loss_reason,
    deals.competitor,
    deals.amount,
    deals.margin_rate,
    deals.created_at,
    deals.expected_close_date,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from {{ ref('crm_deals') }} as deals
left join {{ ref('crm_accounts') }} as accounts on deals.account_id = accounts.account_id
where
    not deals.is_deleted
    and {{ is_touched('deals.deal_id') }}
