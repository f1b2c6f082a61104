{{ config(materialized='table') }}

-- The only place that turns local time into UTC, a day at a time, so that nothing has to do it a moment at a time.
with hours as (
    select
        country,
        weekday,
        {% for column in ['opens_at', 'closes_at'] %}
            60 * cast({{ dbt.split_part(column, "':'", 1) }} as integer)
            + cast({{ dbt.split_part(column, "':'", 2) }} as integer) as {{ column[:-3] }}_minute,
        {% endfor %}
        time_zone
    from {{ ref('business_hours') }}
),

countries as (
    select
        country,
        min(time_zone) as time_zone
    from hours
    group by country
),

holidays as (
    select
        country,
        date_day,
        min(holiday) as holiday
    from {{ ref('business_calendar') }}
    group by country, date_day
),

local_days as (
    select
        countries.country,
        countries.time_zone,
        days.date_day,
        days.iso_day_of_week,
        holidays.holiday,
        hours.weekday is not null and holidays.date_day is null as is_business_day,
        cast(days.date_day as {{ dbt.type_timestamp() }}) as midnight,
        {{ dbt.dateadd('minute', 'hours.opens_minute', 'days.date_day') }} as opens,
        {{ dbt.dateadd('minute', 'hours.closes_minute', 'days.date_day') }} as closes
    from {{ ref('int_days_spanned') }} as days
    cross join countries
    left join hours on countries.country = hours.country and days.iso_day_of_week = hours.weekday
    left join holidays on countries.country = holidays.country and days.date_day = holidays.date_day
)

select
    country,
    date_day,
    iso_day_of_week,
    holiday,
    is_business_day,
    {{ utc_at('midnight', 'time_zone') }} as midnight_at,
    case when is_business_day then {{ utc_at('opens', 'time_zone') }} end as opens_at,
    case when is_business_day then {{ utc_at('closes', 'time_zone') }} end as closes_at
from local_days
