{{ config(materialized='table') }}

-- What would have been said at the turn of every month, from what was known by then, and what came. Open deals count with
-- the chance of their cell, new ones as those created of late; both are corrected by how far that was off before, the
-- correction drawn toward none. The error beyond chance (`spread`) widens the interval: months differ by more than deals do.
-- Grain: one row per moment, horizon and currency; the last moment is now, and its actual is null.
{% set drawn = var('risk_cell_shrinkage') %}
with learnt as (
    select * from {{ ref('int_bookings_learnt') }}
),

by_stage as (
    select
        moment_on,
        horizon,
        stage_id,
        sum(won) / sum(deals) as rate
    from learnt
    where stage_id <> 'new'
    group by moment_on, horizon, stage_id
),

by_age as (
    select
        moment_on,
        horizon,
        stage_id,
        age_bin,
        sum(won) as won,
        sum(deals) as deals
    from learnt
    where stage_id <> 'new'
    group by moment_on, horizon, stage_id, age_bin
),

-- fewer moments than this have seen too little to say anything
ready as (
    select
        later.moment_on,
        later.horizon
    from (select distinct moment_on, horizon from learnt) as later
    inner join (
        select distinct
            moment_on,
            horizon,
            days_ahead
        from {{ ref('int_bookings_moments') }}
        where stage_id <> 'new'
    ) as earlier
        on
            later.horizon = earlier.horizon
            and {{ dbt.dateadd('day', 'earlier.days_ahead', 'earlier.moment_on') }} <= later.moment_on
            and earlier.moment_on < later.moment_on
    group by later.moment_on, later.horizon
    having count(*) >= 6
),

open_rated as (
    select
        moments.*,
        -- a stage that nobody was seen in yet says nothing
        (
            coalesce(learnt.won, 0)
            + {{ drawn }} * (coalesce(by_age.won, 0) + {{ drawn }} * by_stage.rate) / (coalesce(by_age.deals, 0) + {{ drawn }})
        ) / (coalesce(learnt.deals, 0) + {{ drawn }}) as rate
    from {{ ref('int_bookings_moments') }} as moments
    inner join ready on moments.moment_on = ready.moment_on and moments.horizon = ready.horizon
    left join by_stage
        on
            moments.moment_on = by_stage.moment_on
            and moments.horizon = by_stage.horizon
            and moments.stage_id = by_stage.stage_id
    left join by_age
        on
            moments.moment_on = by_age.moment_on
            and moments.horizon = by_age.horizon
            and moments.stage_id = by_age.stage_id
            and moments.age_bin = by_age.age_bin
    left join learnt
        on
            moments.moment_on = learnt.moment_on
            and moments.horizon = learnt.horizon
            and moments.stage_id = learnt.stage_id
            and moments.segment = learnt.segment
            and moments.age_bin = learnt.age_bin
    where moments.stage_id <> 'new'
),

parts as (
    select
        moment_on,
        horizon,
        days_ahead,
        currency,
        sum(amount * rate) as open_amount,
        cast(0 as double) as new_amount,
        sum(amount_squared * rate * (1 - rate)) as variance,
        sum(crm_amount) as crm_amount
    from open_rated
    group by moment_on, horizon, days_ahead, currency
    union all
    select
        moments.moment_on,
        moments.horizon,
        moments.days_ahead,
        moments.currency,
        cast(0 as double) as open_amount,
        sum(moments.deals * learnt.won_amount / nullif(learnt.deals, 0)) as new_amount,
        sum(moments.deals * learnt.won_squared / nullif(learnt.deals, 0)) as variance,
        null as crm_amount
    from {{ ref('int_bookings_moments') }} as moments
    inner join ready on moments.moment_on = ready.moment_on and moments.horizon = ready.horizon
    left join learnt
        on
            moments.moment_on = learnt.moment_on
            and moments.horizon = learnt.horizon
            and learnt.stage_id = 'new'
            and moments.segment = learnt.segment
            and moments.currency = learnt.currency
    where moments.stage_id = 'new'
    group by moments.moment_on, moments.horizon, moments.days_ahead, moments.currency
),

booked as (
    select * from {{ ref('int_bookings_booked') }}
    where segment = 'all' and team = 'all'
),

totals as (
    select
        parts.moment_on,
        parts.horizon,
        parts.days_ahead,
        parts.currency,
        sum(parts.open_amount) as open_amount,
        sum(parts.new_amount) as new_amount,
        sum(parts.open_amount) + coalesce(sum(parts.new_amount), 0) as raw_amount,
        sum(parts.variance) as variance,
        sum(parts.crm_amount) as crm_weights,
        cast({{ dbt.dateadd('day', 'parts.days_ahead', 'parts.moment_on') }} as date) as horizon_ends_on
    from parts
    group by parts.moment_on, parts.horizon, parts.days_ahead, parts.currency
),

naive as (
    select
        totals.moment_on,
        totals.horizon,
        totals.currency,
        sum(case when booked.won_on >= totals.moment_on and booked.won_on < totals.horizon_ends_on then booked.amount else 0 end) as actual,
        sum(
            case
                when booked.won_on >= {{ dbt.dateadd('day', '-1 * totals.days_ahead', 'totals.moment_on') }} and booked.won_on < totals.moment_on
                    then booked.amount
                else 0
            end
        ) as last_period,
        sum(
            case
                when
                    booked.won_on >= {{ dbt.dateadd('year', -1, 'totals.moment_on') }}
                    and booked.won_on < {{ dbt.dateadd('year', -1, 'totals.horizon_ends_on') }}
                    then booked.amount
                else 0
            end
        ) as same_period_last_year,
        min(booked.won_on) as first_won_on
    from totals
    left join booked on totals.currency = booked.currency
    group by totals.moment_on, totals.horizon, totals.currency
),

tried as (
    select
        totals.*,
        case when totals.horizon_ends_on <= clock.made_on then naive.actual end as actual,
        case
            when naive.first_won_on <= {{ dbt.dateadd('day', '-1 * totals.days_ahead', 'totals.moment_on') }}
                then naive.last_period
        end as last_period,
        case
            when naive.first_won_on <= {{ dbt.dateadd('year', -1, 'totals.moment_on') }} then naive.same_period_last_year
        end as same_period_last_year
    from totals
    inner join naive
        on
            totals.moment_on = naive.moment_on
            and totals.horizon = naive.horizon
            and totals.currency = naive.currency
    cross join (select max(made_on) as made_on from {{ ref('int_bookings_horizons') }}) as clock
),

-- what earlier moments had shown by then, each from what it could know itself
corrections as (
    select
        later.moment_on,
        later.horizon,
        later.currency,
        sum(earlier.actual) as actual,
        sum(earlier.raw_amount) as raw_amount,
        count(*) as moments
    from tried as later
    inner join tried as earlier
        on
            later.horizon = earlier.horizon
            and later.currency = earlier.currency
            and earlier.horizon_ends_on <= later.moment_on
            and earlier.raw_amount > 0
            and earlier.moment_on >= {{ dbt.dateadd('month', -12, 'later.moment_on') }}
    group by later.moment_on, later.horizon, later.currency
),

corrected as (
    select
        tried.*,
        coalesce(
            (corrections.actual + 6 * tried.raw_amount) / nullif(corrections.raw_amount + 6 * tried.raw_amount, 0), 1
        ) as correction
    from tried
    left join corrections
        on
            tried.moment_on = corrections.moment_on
            and tried.horizon = corrections.horizon
            and tried.currency = corrections.currency
),

spreads as (
    select
        later.moment_on,
        later.horizon,
        later.currency,
        sum(
            (power(earlier.actual - earlier.raw_amount * earlier.correction, 2) - earlier.variance)
            / power(earlier.raw_amount * earlier.correction, 2)
        ) as excess,
        count(*) as moments
    from corrected as later
    inner join corrected as earlier
        on
            later.horizon = earlier.horizon
            and later.currency = earlier.currency
            and earlier.horizon_ends_on <= later.moment_on
            and earlier.raw_amount > 0
    group by later.moment_on, later.horizon, later.currency
)

select
    corrected.moment_on,
    corrected.horizon,
    corrected.days_ahead,
    corrected.horizon_ends_on,
    corrected.currency,
    corrected.open_amount,
    corrected.new_amount,
    corrected.correction,
    corrected.raw_amount * corrected.correction as predicted,
    corrected.variance,
    -- few moments tell little: as if one more had been off by a tenth
    sqrt(greatest(0, coalesce(spreads.excess, 0) + power({{ var('bookings_prior_spread') }}, 2)) / (coalesce(spreads.moments, 0) + 1))
        as spread,
    coalesce(spreads.moments, 0) as moments,
    corrected.actual,
    corrected.crm_weights,
    corrected.last_period,
    corrected.same_period_last_year
from corrected
left join spreads
    on
        corrected.moment_on = spreads.moment_on
        and corrected.horizon = spreads.horizon
        and corrected.currency = spreads.currency
