{{ config(materialized='table') }}

-- The clock read backwards: all working quarters of an hour, numbered. A due time is then a join on a number.
with windows as (
    {% for window in [1, 2] %}
        select
            country,
            date_day,
            opens_second_{{ window }} as opens_second,
            closes_second_{{ window }} as closes_second
        from {{ ref('int_business_days') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

quarters as (
    {{ dbt.generate_series(96) }}
),

slots as (
    select
        windows.country,
        {{ dbt.dateadd(
            'second', '(windows.opens_second + 900 * (quarters.generated_number - 1))', 'windows.date_day'
        ) }} as starts_at
    from windows
    inner join quarters
        on windows.opens_second + 900 * quarters.generated_number <= windows.closes_second
)

select
    country,
    row_number() over (partition by country order by starts_at) - 1 as slot_number,
    starts_at,
    {{ dbt.dateadd('minute', 15, 'starts_at') }} as ends_at
from slots
