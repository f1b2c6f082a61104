{{ config(meta={'dagster': {'ref': {'name': 'fct_deals'}}}) }}

-- dim_deals and fct_deals speak of the same deals.
select
    dim_deals.deal_id as in_dim_deals,
    fct_deals.deal_id as in_fct_deals
from {{ ref('dim_deals') }} as dim_deals
full outer join {{ ref('fct_deals') }} as fct_deals on dim_deals.deal_id = fct_deals.deal_id
where dim_deals.deal_id is null or fct_deals.deal_id is null
