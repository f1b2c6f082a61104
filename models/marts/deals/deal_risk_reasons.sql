-- The parts of every open deal's scores, in words: what is known of the deal, what is just good, and how far that moves
-- the odds. Within a deal and outcome the contributions add up to the score; they are ranked by size, the base aside,
-- which says where deals like it start.
{% set outcomes = {'win_90d': 'a win within 90 days', 'lost_30d': 'a loss within 30 days', 'win_ever': 'a win at all'} %}
with parts as (
    select
        deals.deal_id,
        parts.part,
        parts.value,
        case parts.part
            when 'base'
                then coalesce(stages.stage, 'no known stage') || ', ' || deals.segment || ', ' || {{ whole('floor(parts.value)') }} || ' days old'
            when 'days_in_stage' then {{ in_words('floor(parts.value)', "'days'") }}
            when 'win_90d' then {{ whole('100 * parts.value') }} || '%'
            when 'lost_30d' then {{ whole('100 * parts.value') }} || '%'
            else {{ in_words('parts.value', 'indicators.unit') }}
        end as value_text,
        coalesce(indicators.label, 'time in the stage') as label,
        -- what is past a norm says so itself
        case when indicators.unit not like 'days past %' or parts.norm <> 0
            then {{ in_words('parts.norm', 'indicators.unit', with_unit=false) }}
        end as norm_text,
        {% for outcome in outcomes %}
            parts.{{ outcome }},
            row_number() over (
                partition by parts.deal_number
                order by case when parts.part = 'base' then 1 else 0 end, abs(parts.{{ outcome }}) desc, parts.part
            ) as rank_{{ outcome }},
        {% endfor %}
        case
            when indicators.indicator is not null and parts.is_from_start then 'indicator_values_today'
            when indicators.indicator is not null then 'ind_' || parts.part
            when parts.part = 'base' then 'dim_deals'
            when parts.part = 'days_in_stage' then 'fct_stage_visits'
            else 'deal_risk_reasons'
        end as fact_table
    from {{ ref('int_risk_contributions') }} as parts
    inner join {{ ref('dim_deals') }} as deals on parts.deal_number = deals._deal_number
    left join {{ ref('dim_stages') }} as stages on parts.stage_id = stages.stage_id
    left join {{ ref('dim_indicators') }} as indicators on parts.part = indicators.indicator
),

worded as (
    select
        *,
        case part
            when 'base' then value_text || ': starts from '
            when 'win_90d' then 'what is won within 90 days, here ' || value_text || ', is '
            when 'lost_30d' then 'what is lost within 30 days, here ' || value_text || ', is '
            else label || ': ' || value_text || coalesce(' (norm ' || norm_text || ')', '') || ', '
        end as fact
    from parts
),

by_outcome as (
    {% for outcome, of_it in outcomes.items() %}
        select
            deal_id,
            '{{ outcome }}' as outcome,
            part,
            value,
            value_text,
            {{ outcome }} as contribution,
            rank_{{ outcome }} as reason_rank,
            fact_table,
            fact
            || case
                when part = 'base' then {{ whole('100 * ' ~ chance_of(outcome)) }} || '% for {{ of_it }}'
                {% if outcome == 'win_ever' %}
                    when part = 'win_90d' then 'won'
                    when part = 'lost_30d' then 'not won'
                {% elif outcome == 'lost_30d' %}
                    when part = 'win_90d' then 'not lost'
                {% endif %}
                else {{ odds_moved(outcome) }} || ' the odds of {{ of_it }}'
            end as sentence
        from worded
        where {{ outcome }} is not null and ({{ outcome }} <> 0 or part not in ('win_90d', 'lost_30d'))
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
