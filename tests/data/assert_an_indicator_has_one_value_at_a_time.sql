{{ config(meta={'dagster': {'ref': {'name': 'dim_indicators'}}}) }}
{%- do indicator_refs() %}
{%- set as_of = ref('stg_as_of') %}

-- A step function has one value at a moment. Two rows of a deal at one would make the value a matter of luck. Looks at
-- what tonight rebuilt, of a very large company at the deals that the ledger reads: how an indicator is made shows in
-- any of them.
with deals as (
    select deal_id from {{ ref('dim_deals') }}
    where {{ ledger_bucket('deal_id') }} <= {{ ledger_buckets() }}
)

{% for node in indicators() %}
    select
        '{{ indicator_name(node) }}' as indicator,
        deal_id,
        changed_at,
        count(*) as copies
    from {{ node.relation_name }}
    where
        _load_id = (select newest_load_id from {{ as_of }})
        and deal_id in (select deal_id from deals)
    group by deal_id, changed_at
    having count(*) > 1
    {{ 'union all' if not loop.last }}
{% endfor %}
