{{ config(meta={'dagster': {'ref': {'name': 'fct_pipeline_movements'}}}) }}

-- At as_of the pipeline is the deals that the CRM shows open, with their amounts, currency by currency.
with pipeline as (
    select
        movements.currency,
        sum(movements.closing_deals) as deals,
        sum(movements.closing_amount) as amount
    from {{ ref('fct_pipeline_movements') }} as movements
    inner join {{ ref('stg_as_of') }} as clock on movements.date_day = cast(clock.as_of as date)
    group by movements.currency
),

crm as (
    select
        coalesce(currency, 'unknown') as currency,
        count(*) as deals,
        sum(amount) as amount
    from {{ ref('dim_deals') }}
    where status = 'open'
    group by coalesce(currency, 'unknown')
)

select
    coalesce(pipeline.currency, crm.currency) as currency,
    pipeline.deals,
    crm.deals as crm_deals,
    pipeline.amount,
    crm.amount as crm_amount
from pipeline
full outer join crm on pipeline.currency = crm.currency
where
    coalesce(pipeline.deals, 0) <> coalesce(crm.deals, 0)
    or coalesce(pipeline.amount, 0) <> coalesce(crm.amount, 0)
