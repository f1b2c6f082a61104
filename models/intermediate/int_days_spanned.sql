{{ config(materialized='table') }}

-- The days that all calendars share: from the year of the first deal to two years after as_of, so that due times lie
-- within; at most thirty years back, whatever date a deal was given by mistake. One day more at either end, because a local day can begin in the UTC day before and end in the one after.
with numbers as (
    {{ dbt.generate_series(100000) }}
),

bounds as (
    select
        greatest(
            cast({{ dbt.dateadd('day', -1, dbt.date_trunc('year', 'min(created_at)')) }} as date),
            cast({{ dbt.dateadd('year', -30, '(select as_of from ' ~ ref('stg_as_of') ~ ')') }} as date)
        ) as first_date,
        cast(
            {{ dbt.dateadd('day', 1, dbt.dateadd('year', 2, '(select as_of from ' ~ ref('stg_as_of') ~ ')')) }} as date
        ) as last_date
    from {{ ref('crm_deals') }}
),

days as (
    select cast({{ dbt.dateadd('day', 'numbers.generated_number - 1', 'bounds.first_date') }} as date) as date_day
    from numbers
    inner join bounds
        on numbers.generated_number - 1 <= {{ dbt.datediff('bounds.first_date', 'bounds.last_date', 'day') }}
)

select
    date_day,
    cast({{ dbt.datediff(dbt.date_trunc('week', 'date_day'), 'date_day', 'day') }} + 1 as integer) as iso_day_of_week
from days
