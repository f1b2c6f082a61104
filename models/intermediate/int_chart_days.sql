{{ config(materialized='table') }}

-- The axis of all charts: business days of the company's calendar, by number. What happens on a day off counts on the
-- business day after it. A day is there once it has ended at as_of, so that no day is ever judged half.
-- From a year after history begins, each day is held against a baseline that ended before it: the two years before
-- the day's quarter, or before the first such day. The 50th deal begins history, so that a stray old deal does not.
with as_of as (
    select * from {{ ref('stg_as_of') }}
),

calendar as (
    select
        dates.date_day,
        dates.iso_day_of_week,
        dates.quarter_start_date,
        dates.is_business_day,
        cast(
            count(case when dates.is_business_day then 1 end) over (order by dates.date_day)
            + case when dates.is_business_day then 0 else 1 end as integer
        ) as workday
    from {{ ref('dim_dates') }} as dates
    where {{ dbt.dateadd('minute', 24 * 60 - 1, 'dates.date_day') }} <= (select as_of from as_of)
),

-- the last days, if off, wait for the business day that they count on
ended as (
    select * from calendar
    where workday <= (
        select max(workday) from calendar
        where is_business_day
    )
),

begun as (
    -- the month after it is the first whole one
    select
        cast(
            {{ dbt.dateadd('month', var('chart_baseline_months') + 1, dbt.date_trunc('month', 'created_at')) }} as date
        ) as ready_date
    from (
        select
            created_at,
            row_number() over (order by created_at) as n
        from {{ ref('dim_deals') }}
    ) as deals
    where n = 50
),

workdays as (
    select
        workday,
        max(date_day) as workday_date,
        min(date_day) as first_date_day,
        max(iso_day_of_week) as iso_day_of_week
    from ended
    group by workday
),

dated as (
    select
        ended.date_day,
        ended.workday,
        ended.is_business_day,
        workdays.workday_date,
        -- weekend and Monday arrive together
        case when ended.is_business_day then ended.iso_day_of_week end as iso_day_of_week,
        cast({{ dbt.date_trunc('month', 'workdays.workday_date') }} as date) as month_date,
        begun.ready_date,
        case
            when workdays.workday_date >= begun.ready_date
                then greatest(
                    cast({{ dbt.date_trunc('quarter', 'workdays.workday_date') }} as date), begun.ready_date
                )
        end as period_date,
        case
            when
                (extract(month from workdays.workday_date) = 12 and extract(day from workdays.workday_date) >= 22)
                or (extract(month from workdays.workday_date) = 1 and extract(day from workdays.workday_date) <= 8)
                then 'year_turn'
            when
                {{ dbt.datediff(
                    'workdays.workday_date',
                    dbt.dateadd('month', 3, dbt.date_trunc('quarter', 'workdays.workday_date')),
                    'day'
                ) }} <= 14
                then 'quarter_end'
            when extract(month from workdays.workday_date) in (7, 8) then 'summer'
            else 'usual'
        end as season
    from ended
    inner join workdays on ended.workday = workdays.workday
    left join begun on 1 = 1
)

select * from dated
