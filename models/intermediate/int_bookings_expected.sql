{{ config(materialized='table') }}

-- What is expected of today's open deals and of deals not yet created, by horizon. An open deal counts with its own chance
-- of deal_risk to be won within 90 days, taken to other horizons by how much sooner or later its stage wins. New deals
-- count as those created in the last 13 weeks did in their segment, a segment without a past as those in its currency. Both
-- with the correction that past nowcasts asked for. Null where the company is too young to tell, whatever else is known.
-- Grain: one row per horizon, segment, team and currency. Amounts, counts and variances are additive within a horizon.
{% set drawn = var('risk_cell_shrinkage') %}
with horizons as (
    select * from {{ ref('int_bookings_horizons') }}
),

learnt as (
    select learnt.*
    from {{ ref('int_bookings_learnt') }} as learnt
    inner join horizons on learnt.horizon = horizons.horizon and learnt.moment_on = horizons.made_on
),

rates as (
    select
        horizon,
        stage_id,
        sum(deals) as deals,
        sum(won) as won,
        sum(won) / sum(deals) as rate,
        sum(sum(won)) over (partition by horizon) / sum(sum(deals)) over (partition by horizon) as overall_rate
    from learnt
    where stage_id <> 'new'
    group by horizon, stage_id
),

-- of what is won within 90 days, the part won within the horizon; a stage of few wins reads like all stages
paces as (
    select
        rates.horizon,
        rates.stage_id,
        (rates.rate * in_90_days.deals + {{ drawn }} * rates.overall_rate / nullif(in_90_days.overall_rate, 0))
        / (in_90_days.won + {{ drawn }}) as pace
    from rates
    inner join rates as in_90_days on rates.stage_id = in_90_days.stage_id and in_90_days.horizon = 'days_90'
),

open_deals as (
    select
        horizons.horizon,
        risk.segment,
        risk.team,
        coalesce(risk.currency, 'unknown') as currency,
        cast(risk.amount as double) as amount,
        -- least() would take an unknown chance for a sure one
        case
            when risk.p_win_90d is not null
                then least(1, risk.p_win_90d * coalesce(paces.pace, least(1, horizons.days_ahead / 90.0)))
        end as chance
    from {{ ref('deal_risk') }} as risk
    cross join horizons
    left join paces on horizons.horizon = paces.horizon and risk.stage_id = paces.stage_id
),

new_deals as (
    select
        horizons.horizon,
        deals.segment,
        deals.team,
        coalesce(deals.currency, 'unknown') as currency,
        count(*) as deals
    from {{ ref('dim_deals') }} as deals
    cross join horizons
    where
        deals.created_at >= {{ dbt.dateadd('day', -91, 'horizons.made_on') }}
        and deals.created_at < horizons.made_on
    group by horizons.horizon, deals.segment, deals.team, coalesce(deals.currency, 'unknown')
),

-- of each deal created in 13 weeks, what is won of the next ones; the segment is null for all of a currency
of_new as (
    select
        horizon,
        segment,
        currency,
        sum(won_amount) / nullif(sum(deals), 0) as amount_each,
        sum(won_squared) / nullif(sum(deals), 0) as squared_each
    from learnt
    where stage_id = 'new'
    group by grouping sets ((horizon, segment, currency), (horizon, currency))
),

parts as (
    select
        horizon,
        segment,
        team,
        currency,
        amount as open_amount,
        coalesce(amount, 0) * chance as expected_open,
        0 as expected_new,
        power(coalesce(amount, 0), 2) * chance * (1 - chance) as variance,
        case when amount is null then 1 else 0 end as without_amount
    from open_deals
    union all
    select
        new_deals.horizon,
        new_deals.segment,
        new_deals.team,
        new_deals.currency,
        0 as open_amount,
        0 as expected_open,
        new_deals.deals * coalesce(of_segment.amount_each, of_currency.amount_each) as expected_new,
        new_deals.deals * coalesce(of_segment.squared_each, of_currency.squared_each) as variance,
        0 as without_amount
    from new_deals
    left join of_new as of_segment
        on
            new_deals.horizon = of_segment.horizon
            and new_deals.segment = of_segment.segment
            and new_deals.currency = of_segment.currency
    left join of_new as of_currency
        on
            new_deals.horizon = of_currency.horizon
            and of_currency.segment is null
            and new_deals.currency = of_currency.currency
),

summed as (
    select
        horizon,
        segment,
        team,
        currency,
        sum(open_amount) as open_amount,
        {% for part in ['expected_open', 'expected_new', 'variance'] %}
            {{ sum_if_known(part) }} as {{ part }},
        {% endfor %}
        sum(without_amount) as open_deals_without_amount
    from parts
    group by horizon, segment, team, currency
)

select
    summed.horizon,
    summed.segment,
    summed.team,
    summed.currency,
    summed.open_amount,
    summed.expected_open * coalesce(backtest.correction, 1) as expected_open,
    summed.expected_new * coalesce(backtest.correction, 1) as expected_new,
    summed.variance,
    summed.open_deals_without_amount,
    coalesce(backtest.spread, {{ var('bookings_prior_spread') }}) as spread
from summed
inner join horizons on summed.horizon = horizons.horizon
left join {{ ref('int_bookings_backtest') }} as backtest
    on
        summed.horizon = backtest.horizon
        and horizons.made_on = backtest.moment_on
        and summed.currency = backtest.currency
