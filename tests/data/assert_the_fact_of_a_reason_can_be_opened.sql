{{ config(meta={'dagster': {'ref': {'name': 'deal_risk_reasons'}}}) }}
{%- do indicator_refs() %}

-- The table that a reason names has a row of its deal: nobody is sent where there is nothing.
{% set others = ['dim_deals', 'fct_stage_visits', 'deal_risk_reasons'] %}
with named as (
    select distinct
        fact_table,
        deal_id,
        case when fact_table = 'indicator_values_today' then part end as indicator
    from {{ ref('deal_risk_reasons') }}
    where outcome = 'win_ever' or outcome = 'lost_30d' and part = 'win_90d'
),

missing as (
    {% for node in indicators() %}
        select * from named
        where fact_table = '{{ node.name }}' and deal_id not in (select deal_id from {{ node.relation_name }})
        union all
    {% endfor %}
    {% for other in others %}
        select * from named
        where fact_table = '{{ other }}' and deal_id not in (select deal_id from {{ ref(other) }})
        union all
    {% endfor %}
    select * from named
    where
        fact_table = 'indicator_values_today'
        and (deal_id, indicator) not in (select (deal_id, indicator) from {{ ref('indicator_values_today') }})
)

select * from missing
