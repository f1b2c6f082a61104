-- From the first deal to a year after as_of, as the company's own calendar has them.
with bounds as (
    select
        cast((select min(created_at) from {{ ref('crm_deals') }}) as date) as first_date,
        cast({{ dbt.dateadd('year', 1, 'as_of') }} as date) as last_date
    from {{ ref('stg_as_of') }}
),

days as (
    select local_days.*
    from {{ ref('int_local_days_opened') }} as local_days
    inner join bounds on local_days.date_day between bounds.first_date and bounds.last_date
    where local_days.country = '{{ var("business_calendar") }}'
)

select
    date_day,
    cast({{ dbt.date_trunc('week', 'date_day') }} as date) as week_start_date,
    cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start_date,
    cast({{ dbt.date_trunc('quarter', 'date_day') }} as date) as quarter_start_date,
    cast(extract(year from date_day) as integer) as year_number,
    iso_day_of_week,
    holiday,
    is_business_day,
    date_day = cast({{ dbt.last_day('date_day', 'month') }} as date) as is_month_end,
    date_day = cast({{ dbt.last_day('date_day', 'quarter') }} as date) as is_quarter_end
from days
