{{ config(meta={'dagster': {'ref': {'name': 'int_business_days'}}}) }}

-- Cutting local days at UTC midnight neither loses nor doubles a second.
with counted as (
    select
        country,
        cast(min(date_day) as {{ dbt.type_timestamp() }}) as began_at,
        {{ dbt.dateadd('day', 1, 'max(date_day)') }} as ended_at,
        sum(closes_second_1 - opens_second_1 + closes_second_2 - opens_second_2) as seconds_counted
    from {{ ref('int_business_days') }}
    group by country
),

opened as (
    select
        local_days.country,
        sum(
            {{ dbt.datediff(
                'greatest(local_days.opens_at, counted.began_at)', 'least(local_days.closes_at, counted.ended_at)', 'second'
            ) }}
        ) as seconds_open
    from {{ ref('int_local_days_opened') }} as local_days
    inner join counted on local_days.country = counted.country
    where local_days.opens_at < counted.ended_at and local_days.closes_at > counted.began_at
    group by local_days.country
)

select
    opened.country,
    opened.seconds_open,
    counted.seconds_counted
from opened
full outer join counted on opened.country = counted.country
where opened.seconds_open is distinct from counted.seconds_counted
