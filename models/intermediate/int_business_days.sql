{{ config(materialized='table') }}

-- The clock face: for each UTC day what had been counted before it, and where in it the count runs. The hours of one
-- local day may lie in two UTC days (Tokyo, Los Angeles), and of two local days in one: so up to two windows a day.
with local_days as (
    select * from {{ ref('int_local_days_opened') }}
),

shifts as (
    {{ dbt.generate_series(3) }}
),

touched as (
    select
        local_days.country,
        local_days.opens_at,
        local_days.closes_at,
        cast({{ dbt.dateadd('day', 'shifts.generated_number - 2', 'local_days.date_day') }} as date) as date_day
    from local_days
    cross join shifts
    where local_days.is_business_day
),

cut as (
    select
        country,
        date_day,
        greatest(0, {{ dbt.datediff('date_day', 'opens_at', 'second') }}) as opens_second,
        least(86400, {{ dbt.datediff('date_day', 'closes_at', 'second') }}) as closes_second
    from touched
),

windows as (
    select
        country,
        date_day,
        min(opens_second) as opens_second_1,
        min(closes_second) as closes_second_1,
        case when count(*) > 1 then max(opens_second) else 0 end as opens_second_2,
        case when count(*) > 1 then max(closes_second) else 0 end as closes_second_2
    from cut
    where closes_second > opens_second
    group by country, date_day
),

-- Business days are counted by local date. A UTC day holds the midnight of its own date or of the next, if that comes
-- within it; the later one is meant where it holds both, the one before it where it holds none (London, when clocks
-- change).
counted as (
    select
        country,
        date_day,
        midnight_at,
        lead(midnight_at) over calendar as next_midnight_at,
        case when is_business_day then 1 else 0 end as own_business_day,
        lead(case when is_business_day then 1 else 0 end) over calendar as next_business_day,
        count(case when is_business_day then 1 end) over (
            partition by country
            order by date_day
            rows between unbounded preceding and current row
        ) as business_days,
        lag(date_day) over calendar as previous_day,
        lead(date_day) over calendar as next_day
    from local_days
    window calendar as (partition by country order by date_day)
),

days as (
    select
        *,
        next_midnight_at < next_day as is_next_midnight_within
    from counted
    -- the days at either end are not whole: the hours of a local day beyond them may reach into them
    where previous_day is not null and next_day is not null
)

select
    days.country,
    days.date_day,
    cast(coalesce(
        sum(windows.closes_second_1 - windows.opens_second_1 + windows.closes_second_2 - windows.opens_second_2) over (
            partition by days.country
            order by days.date_day
            rows between unbounded preceding and 1 preceding
        ),
        0
    ) as {{ dbt.type_bigint() }}) as business_seconds_before,
    coalesce(windows.opens_second_1, 0) as opens_second_1,
    coalesce(windows.closes_second_1, 0) as closes_second_1,
    coalesce(windows.opens_second_2, 0) as opens_second_2,
    coalesce(windows.closes_second_2, 0) as closes_second_2,
    case when days.is_next_midnight_within then days.next_midnight_at else days.midnight_at end as local_midnight_at,
    days.business_days
    - case when days.is_next_midnight_within then 0 else days.own_business_day end as business_days_before_midnight,
    days.business_days
    + case when days.is_next_midnight_within then days.next_business_day else 0 end as business_days_after_midnight
from days
left join windows on days.country = windows.country and days.date_day = windows.date_day
