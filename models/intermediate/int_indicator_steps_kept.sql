{{ config(
    materialized='incremental',
    incremental_strategy='by_deal',
    by='deal_number',
    sparse=true,
    post_hook="delete from {{ this }} where ended_at < (select {{ dbt.dateadd('day', -90, 'as_of') }} from {{ ref('stg_as_of') }})",
) }}
{%- do indicator_refs() %}
-- depends_on: {{ ref('int_deals_touched') }}

-- Of all indicators' step functions what every night asks for, so that a night does not read all of them: of an open
-- deal the step in force and those ahead, to which it comes by itself; of one that ended in the last 90 days when the
-- first step was that tells anything. In numbers; an indicator's is its place among them all.
{% set ahead_at = 'case when deals.ended_at is null and steps.changed_at > as_of.as_of then steps.changed_at end' %}
with as_of as (
    select * from {{ ref('stg_as_of') }}
),

{% if is_incremental() %}
    rebuilt as (
        {% for node in indicators() %}
            select
                deal_id,
                {{ loop.index }} as indicator_number
            from {{ node.relation_name }}
            where {{ is_newly_built() }}
            {{ 'union all' if not loop.last }}
        {% endfor %}
    ),
{% endif %}

deals as (
    select
        deals._deal_number as deal_number,
        deals.deal_id,
        coalesce(facts.won_at, facts.lost_at) as ended_at,
        {{ is_newly_built('deals._load_id') }} as is_newly_built
    from {{ ref('dim_deals') }} as deals
    left join {{ ref('fct_deals') }} as facts on deals._deal_number = facts._deal_number
    where
        (
            deals.status = 'open'
            or coalesce(facts.won_at, facts.lost_at) >= (select {{ dbt.dateadd('day', -90, 'as_of') }} from as_of)
        )
        {% if is_incremental() %} and deals.deal_id in (select deal_id from rebuilt) {% endif %}
)

{% for node in indicators() %}
    {%- set default, grows = node.config.meta.get('default'), 'grows_per_day' in node.columns %}
    select
        deals.deal_number,
        {{ loop.index }} as indicator_number,
        case when deals.ended_at is null then max(steps.changed_at) else min(steps.changed_at) end as changed_at,
        {{ null_by('max_by', 'steps.value', 'steps.changed_at', '-1e300') }} as value,
        {{ 'max_by(steps.grows_per_day, steps.changed_at)' if grows else 'cast(0 as double)' }} as grows_per_day,
        deals.ended_at
    from {{ node.relation_name }} as steps
    inner join deals on steps.deal_id = deals.deal_id
    cross join as_of
    where
        {{ is_newly_built('steps._load_id') }}
        and (deals.ended_at is null or steps.value {{ '<> ' ~ default if default is not none else 'is not null' }})
    group by deals.deal_number, deals.ended_at, {{ ahead_at }}
    {{ 'union all' if not loop.last }}
{% endfor %}
{% if is_incremental() %}
    union all
    -- of a deal that time alone brought here, the indicators that it did not
    select kept.*
    from {{ this }} as kept
    inner join deals on kept.deal_number = deals.deal_number and not deals.is_newly_built
    left join rebuilt on deals.deal_id = rebuilt.deal_id and kept.indicator_number = rebuilt.indicator_number
    where rebuilt.deal_id is null
{% endif %}
