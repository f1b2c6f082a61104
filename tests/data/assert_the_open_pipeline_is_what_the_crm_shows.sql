{{ config(meta={'dagster': {'ref': {'name': 'fct_pipeline_movements'}}}) }}

-- At as_of the pipeline is the deals that the CRM shows open, with their amounts.
with pipeline as (
    select
        sum(movements.closing_deals) as deals,
        sum(movements.closing_amount) as amount
    from {{ ref('fct_pipeline_movements') }} as movements
    inner join {{ ref('stg_as_of') }} as clock on movements.date_day = cast(clock.as_of as date)
),

crm as (
    select
        count(*) as deals,
        sum(amount) as amount
    from {{ ref('dim_deals') }}
    where status = 'open'
)

select
    pipeline.deals,
    crm.deals as crm_deals,
    pipeline.amount,
    crm.amount as crm_amount
from pipeline
cross join crm
where
    coalesce(pipeline.deals, 0) <> crm.deals
    or coalesce(pipeline.amount, 0) <> coalesce(crm.amount, 0)
