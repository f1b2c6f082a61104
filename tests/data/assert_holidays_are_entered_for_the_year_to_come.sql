{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'business_calendar'}}}) }}

-- A calendar that was not carried on makes working days of all holidays, and due times too early.
select
    country,
    max(date_day) as last_holiday_date
from {{ ref('business_calendar') }}
group by country
having max(date_day) < (select {{ dbt.dateadd('year', 1, 'as_of') }} from {{ ref('stg_as_of') }})
