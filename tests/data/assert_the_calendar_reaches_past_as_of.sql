{{ config(meta={'dagster': {'ref': {'name': 'dim_dates'}}}) }}

-- The calendar holds every day from the first deal to a year after as_of; a join on a day loses nothing.
select
    min(dates.date_day) as first_day,
    max(dates.date_day) as last_day,
    count(*) as days
from {{ ref('dim_dates') }} as dates
having
    max(dates.date_day) < (select cast({{ dbt.dateadd('year', 1, 'as_of') }} as date) from {{ ref('stg_as_of') }})
    or min(dates.date_day) > (select cast(min(created_at) as date) from {{ ref('fct_deals') }})
    or count(*) <> {{ dbt.datediff('min(dates.date_day)', 'max(dates.date_day)', 'day') }} + 1
