{{ config(materialized='table') }}

-- What each moment could know: of the deals of a cell, how many were open and how many won within the horizon, at all
-- earlier moments whose horizon had ended by then, the recent counting more. Of new deals: how many had been created in
-- the 13 weeks before, and what was won of those created afterwards.
-- Grain: one row per moment, horizon and cell of int_bookings_moments (of new deals, also per currency).
with pairs as (
    select
        later.moment_on,
        earlier.horizon,
        earlier.stage_id,
        earlier.segment,
        earlier.age_bin,
        case when earlier.stage_id = 'new' then earlier.currency end as currency,
        power(
            0.5, {{ dbt.datediff('earlier.moment_on', 'later.moment_on', 'day') }} / {{ var('cohort_half_life_days') }}.0
        ) as weight,
        earlier.deals,
        earlier.won,
        earlier.won_amount,
        earlier.won_squared
    from {{ ref('int_bookings_moments') }} as earlier
    inner join (select distinct moment_on from {{ ref('int_bookings_moments') }}) as later
        on
            {{ dbt.dateadd('day', 'earlier.days_ahead', 'earlier.moment_on') }} <= later.moment_on
            and earlier.moment_on < later.moment_on
)

select
    moment_on,
    horizon,
    stage_id,
    segment,
    age_bin,
    currency,
    sum(weight * deals) as deals,
    sum(weight * won) as won,
    sum(weight * won_amount) as won_amount,
    sum(weight * won_squared) as won_squared
from pairs
group by moment_on, horizon, stage_id, segment, age_bin, currency
