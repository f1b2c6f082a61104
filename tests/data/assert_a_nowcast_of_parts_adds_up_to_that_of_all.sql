{{ config(meta={'dagster': {'ref': {'name': 'bookings_nowcast'}}}) }}

-- Segments and teams are cuts of one pipeline: what is expected of them is what is expected of all, to the cent that
-- each row rounds, and unknown where one of them is.
with summed as (
    select
        horizon,
        currency,
        segment = 'all' as is_all_segments,
        team = 'all' as is_all_teams,
        count(*) as rows_summed,
        {{ sum_if_known('expected_open') }} as expected_open,
        {{ sum_if_known('expected_new') }} as expected_new,
        sum(booked_so_far) as booked_so_far
    from {{ ref('bookings_nowcast') }}
    group by horizon, currency, segment = 'all', team = 'all'
)

select
    parts.horizon,
    parts.currency
from summed as parts
inner join summed as overall
    on
        parts.horizon = overall.horizon
        and parts.currency = overall.currency
        and overall.is_all_segments
        and overall.is_all_teams
where
    abs(parts.expected_open - overall.expected_open) > 0.01 * parts.rows_summed
    or abs(parts.expected_new - overall.expected_new) > 0.01 * parts.rows_summed
    or (parts.expected_open is null) <> (overall.expected_open is null)
    or (parts.expected_new is null) <> (overall.expected_new is null)
    or abs(parts.booked_so_far - overall.booked_so_far) > 0.01 * parts.rows_summed
