-- From the first deal to a year after as_of.
with digits as (
    select 0 as digit
    {% for digit in range(1, 10) %}
        union all
        select {{ digit }}
    {% endfor %}
),

numbers as (
    select
        ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
        + 10000 * ten_thousands.digit as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as ten_thousands
),

bounds as (
    select
        cast((select min(created_at) from {{ ref('crm_deals') }}) as date) as first_date,
        cast({{ dbt.dateadd('year', 1, 'as_of') }} as date) as last_date
    from {{ ref('stg_as_of') }}
),

days as (
    select cast({{ dbt.dateadd('day', 'numbers.day_number', 'bounds.first_date') }} as date) as date_day
    from numbers
    inner join bounds
        on numbers.day_number <= {{ dbt.datediff('bounds.first_date', 'bounds.last_date', 'day') }}
),

holidays as (
    select
        cast(date_day as date) as date_day,
        min(holiday) as holiday
    from {{ ref('business_calendar') }}
    where country = '{{ var("business_calendar") }}'
    group by cast(date_day as date)
)

select
    days.date_day,
    cast({{ dbt.date_trunc('week', 'days.date_day') }} as date) as week_start_date,
    cast({{ dbt.date_trunc('month', 'days.date_day') }} as date) as month_start_date,
    cast({{ dbt.date_trunc('quarter', 'days.date_day') }} as date) as quarter_start_date,
    cast(extract(year from days.date_day) as integer) as year_number,
    cast({{ dbt.datediff(dbt.date_trunc('week', 'days.date_day'), 'days.date_day', 'day') }} + 1 as integer)
        as iso_day_of_week,
    holidays.holiday,
    {{ dbt.datediff(dbt.date_trunc('week', 'days.date_day'), 'days.date_day', 'day') }} < 5
    and holidays.holiday is null as is_business_day,
    days.date_day = cast({{ dbt.last_day('days.date_day', 'month') }} as date) as is_month_end,
    days.date_day = cast({{ dbt.last_day('days.date_day', 'quarter') }} as date) as is_quarter_end
from days
left join holidays on days.date_day = holidays.date_day
