-- What was said of bookings against what came, beside three forecasts that need no model. Where a night's nowcast was kept
-- it is that one that is judged, by segment and team too; the turns of earlier months are backtests of all, learnt from
-- what was known by then: of `inflight_cells`, which rates open deals by their cells and not one by one as `inflight` does.
{% set models = {
    'inflight': 'predicted',
    'crm_weights': 'crm_weights',
    'last_period': 'last_period',
    'same_period_last_year': 'same_period_last_year',
} %}
with clock as (
    select max(made_on) as made_on from {{ ref('int_bookings_horizons') }}
),

kept as (
    select
        history.made_on,
        history.horizon,
        history.horizon_ends_on,
        history.segment,
        history.team,
        history.currency,
        max(history.median) - max(history.booked_so_far) as predicted,
        max(history.low_80) - max(history.booked_so_far) as low_80,
        max(history.high_80) - max(history.booked_so_far) as high_80,
        max(history.crm_weights) as crm_weights,
        max(history.last_period) as last_period,
        max(history.same_period_last_year) as same_period_last_year,
        coalesce(sum(booked.amount), 0) as actual,
        false as is_backtest
    from {{ ref('bookings_nowcast_history') }} as history
    cross join clock
    left join {{ ref('int_bookings_booked') }} as booked
        on
            history.segment = booked.segment
            and history.team = booked.team
            and history.currency = booked.currency
            and history.made_on <= booked.won_on
            and history.horizon_ends_on > booked.won_on
    where history.horizon_ends_on <= clock.made_on and history.made_on < history.horizon_ends_on
    group by
        history.made_on, history.horizon, history.horizon_ends_on, history.segment, history.team, history.currency
),

backtested as (
    select
        moment_on as made_on,
        horizon,
        horizon_ends_on,
        'all' as segment,
        'all' as team,
        currency,
        {{ quantile_of_sum('predicted', 'variance + power(spread * predicted, 2)', 0) }} as predicted,
        {{ quantile_of_sum('predicted', 'variance + power(spread * predicted, 2)', -1.2816) }} as low_80,
        {{ quantile_of_sum('predicted', 'variance + power(spread * predicted, 2)', 1.2816) }} as high_80,
        crm_weights,
        last_period,
        same_period_last_year,
        actual,
        true as is_backtest
    from {{ ref('int_bookings_backtest') }}
    where
        actual is not null
        and horizon <> 'quarter_end'
        and (moment_on, horizon, currency) not in (select (made_on, horizon, currency) from kept)
),

said as (
    select * from kept
    union all
    select * from backtested
),

by_model as (
    {% for model, predicted in models.items() %}
        select
            made_on,
            horizon,
            horizon_ends_on,
            segment,
            team,
            currency,
            {% if model == 'inflight' %} case when is_backtest then 'inflight_cells' else 'inflight' end
            {%- else %} '{{ model }}' {%- endif %} as model,
            {{ predicted }} as predicted,
            {{ 'low_80' if model == 'inflight' else 'null' }} as low_80,
            {{ 'high_80' if model == 'inflight' else 'null' }} as high_80,
            actual,
            is_backtest
        from said
        where {{ predicted }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    by_model.made_on,
    by_model.horizon,
    by_model.horizon_ends_on,
    by_model.segment,
    by_model.team,
    by_model.currency,
    by_model.model,
    {% for amount in ['predicted', 'low_80', 'high_80', 'actual'] %}
        cast(by_model.{{ amount }} as decimal(18, 2)) as {{ amount }},
    {% endfor %}
    round(cast(by_model.predicted as double) / nullif(cast(by_model.actual as double), 0) - 1, 6) as error_share,
    by_model.actual between by_model.low_80 and by_model.high_80 as is_within,
    by_model.is_backtest,
    cast(as_of.as_of as date) as as_of
from by_model
cross join {{ ref('stg_as_of') }} as as_of
