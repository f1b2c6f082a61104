-- The parts of every open deal's scores, in words: what is known of the deal, what is just good, and how far that moves
-- the odds. Within a deal and outcome the contributions add up to the score; they are ranked by size, the base aside,
-- which says where deals like it start.
{% set outcomes = {
    'win_90d': ('of a win within 90 days', 'won within 90 days'),
    'lost_30d': ('of a loss within 30 days', 'lost within 30 days'),
    'win_ever': ('of a win at all', 'won sooner or later'),
} %}
with parts as (
    select
        deals.deal_id,
        parts.part,
        parts.value,
        case
            when parts.part = 'base'
                then coalesce(stages.stage, 'no known stage') || ', ' || deals.segment || ', ' || {{ whole('floor(parts.value)') }} || ' days old'
            when parts.part = 'win_90d' then 'a win within 90 days is a win'
            else {{ in_words('parts.value', "coalesce(indicators.unit, 'days')") }}
        end as value_text,
        {% for column in ['value', 'norm'] %}
            {{ in_words('parts.' ~ column, "coalesce(indicators.unit, 'days')", with_unit=false) }} as {{ column }}_in_short,
        {% endfor %}
        {% for outcome in outcomes %}
            parts.{{ outcome }},
            row_number() over (
                partition by parts.deal_number
                order by case when parts.part = 'base' then 1 else 0 end, abs(parts.{{ outcome }}) desc, parts.part
            ) as rank_{{ outcome }},
        {% endfor %}
        case
            when indicators.indicator is not null then 'ind_' || parts.part
            when parts.part = 'win_90d' then 'deal_risk'
            else 'fct_stage_visits'
        end as fact_table
    from {{ ref('int_risk_contributions') }} as parts
    inner join {{ ref('dim_deals') }} as deals on parts.deal_number = deals._deal_number
    left join {{ ref('dim_stages') }} as stages on parts.stage_id = stages.stage_id
    left join {{ ref('dim_indicators') }} as indicators on parts.part = indicators.indicator
),

worded as (
    select
        *,
        case
            when part = 'base' then value_text || ': of deals like it, '
            else replace(part, '_', ' ') || ' ' || value_in_short || coalesce(' (norm ' || norm_in_short || ')', '') || ': '
        end as fact
    from parts
),

by_outcome as (
    {% for outcome, (of_it, happened) in outcomes.items() %}
        select
            deal_id,
            '{{ outcome }}' as outcome,
            part,
            value,
            value_text,
            {{ outcome }} as contribution,
            rank_{{ outcome }} as reason_rank,
            fact_table,
            case
                when part = 'base'
                    then
                        fact || {{ whole('100 * ' ~ chance_of(outcome)) }} || '% are {{ happened }}'
                when part = 'win_90d' then 'no less likely than within 90 days'
                else
                    fact
                    || case
                        when {{ outcome }} >= 0 then 'adds ' || {{ whole('100 * (exp(' ~ outcome ~ ') - 1)') }} || '% to'
                        else 'takes ' || {{ whole('100 * (1 - exp(' ~ outcome ~ '))') }} || '% off'
                    end
                    || ' the odds {{ of_it }}'
            end as sentence
        from worded
        where {{ outcome }} is not null{{ " and part <> 'win_90d'" if outcome != 'win_ever' }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    by_outcome.deal_id,
    by_outcome.outcome,
    by_outcome.part,
    by_outcome.value,
    by_outcome.value_text,
    by_outcome.contribution,
    cast(by_outcome.reason_rank as integer) as reason_rank,
    by_outcome.fact_table,
    by_outcome.sentence,
    cast(as_of.as_of as date) as as_of
from by_outcome
cross join {{ ref('stg_as_of') }} as as_of
