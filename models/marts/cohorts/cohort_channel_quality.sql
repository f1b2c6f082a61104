-- Channels at equal age: of the deals of a month that have reached the age, how many had come to the sale phase, were
-- won or lost by then. The rate adjusted for segment weighs each segment's rate in the channel by its share of all
-- channels' deals (direct standardisation), so that a channel is not good because of whom it brings. Counts are
-- additive over channels and months at one age.
{% set ages = var('cohort_ages') %}
{% set outcomes = {'reached_sale': 'reached_sale_at', 'won': 'won_at', 'lost': 'lost_at'} %}
with ages as (
    {% for age in ages %} select {{ age }} as age_days {{ 'union all' if not loop.last }} {% endfor %}
),

cells as (
    select
        deals.channel,
        deals.segment,
        cast({{ dbt.date_trunc('month', 'deals.created_at') }} as date) as cohort_month,
        ages.age_days,
        count(*) as created,
        {% for outcome, reached_at in outcomes.items() %}
            sum(
                case
                    when {{ dbt.datediff('deals.created_at', 'facts.' ~ reached_at, 'day') }} <= ages.age_days then 1
                    else 0
                end
            ) as {{ outcome }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('fct_deals') }} as facts on deals.deal_id = facts.deal_id
    cross join {{ ref('stg_as_of') }} as clock
    inner join ages
        on
            {{ dbt.datediff('deals.created_at', first_day_not_whole('clock.as_of'), 'day') }} > ages.age_days
    group by deals.channel, deals.segment, cast({{ dbt.date_trunc('month', 'deals.created_at') }} as date), ages.age_days
),

weighed as (
    select
        *,
        sum(created) over (partition by cohort_month, age_days, segment) as segment_created
    from cells
),

summed as (
    select
        channel,
        cohort_month,
        age_days,
        sum(created) as created,
        {% for outcome in outcomes %}
            sum({{ outcome }}) as {{ outcome }},
            sum(cast({{ outcome }} as double) / created * segment_created) / sum(segment_created)
                as {{ outcome }}_rate_adjusted{{ ',' if not loop.last }}
        {% endfor %}
    from weighed
    group by channel, cohort_month, age_days
)

select
    channel,
    cohort_month,
    cast(age_days as integer) as age_days,
    cast(created as bigint) as created,
    {% for outcome in outcomes %}
        cast({{ outcome }} as bigint) as {{ outcome }},
        cast({{ outcome }} as double) / created as {{ outcome }}_rate,
        {{ wilson_low(outcome, 'created') }} as {{ outcome }}_rate_low,
        {{ wilson_high(outcome, 'created') }} as {{ outcome }}_rate_high,
        {{ outcome }}_rate_adjusted,
    {% endfor %}
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from summed
