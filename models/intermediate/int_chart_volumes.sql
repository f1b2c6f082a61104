{{ config(materialized='table') }}

-- New deals of a workday, in all and by channel, and how many the baseline expects: the level of its last year with
-- the weekdays, seasons and growth of all of it. Growth is the department's: what a year is behind of it would hide a
-- channel that falls off, and a fault of one channel hardly tilts it. Days at the turn of the year differ too much from
-- each other to tell anything.
with workdays as (
    select
        workday,
        max(workday_date) as workday_date,
        max(period_date) as period_date,
        max(season) as season,
        max(iso_day_of_week) as iso_day_of_week
    from {{ ref('int_chart_days') }}
    group by workday
),

periods as (
    select
        period_date,
        min(workday) as first_workday,
        max(workday) as last_workday
    from workdays
    where period_date is not null
    group by period_date
),

deals as (
    select
        deals.channel,
        days.workday,
        count(*) as y
    from {{ ref('dim_deals') }} as deals
    inner join {{ ref('int_chart_days') }} as days on cast(deals.created_at as date) = days.date_day
    group by deals.channel, days.workday
),

history as (
    select
        channel,
        min(workday) as first_workday
    from deals
    group by channel
    union all
    select
        '' as channel,
        min(workday) as first_workday
    from deals
),

counted as (
    select
        history.channel,
        workdays.workday,
        coalesce(sum(deals.y), 0) as y
    from history
    inner join workdays on history.first_workday <= workdays.workday
    left join deals
        on workdays.workday = deals.workday and (history.channel = deals.channel or history.channel = '')
    where
        workdays.workday not in (
            select workday from {{ ref('int_chart_outages') }}
            where kind = 'new deals'
        )
    group by history.channel, workdays.workday
),

windows as (
    select
        periods.period_date,
        periods.first_workday,
        workdays.workday,
        workdays.season,
        workdays.iso_day_of_week,
        workdays.workday < periods.first_workday as is_baseline,
        workdays.workday between periods.first_workday - 260 and periods.first_workday - 1 as is_recent,
        counted.channel,
        counted.y
    from periods
    inner join workdays
        on
            workdays.workday <= periods.last_workday
            and workdays.season <> 'year_turn'
            and workdays.workday_date >= {{ dbt.dateadd('month', -24, 'periods.period_date') }}
    inner join counted on workdays.workday = counted.workday
),

weekdays as (
    select
        *,
        avg(case when is_baseline and channel = '' then y end) over (partition by period_date, iso_day_of_week)
        / nullif(avg(case when is_baseline and channel = '' then y end) over (partition by period_date), 0) as weekday_factor,
        avg(case when is_baseline and channel = '' then y end) over (partition by period_date) as mean_y
    from windows
),

seasons as (
    select
        *,
        weekday_factor
        * (sum(case when is_baseline and channel = '' then y end) over (partition by period_date, season) + 5 * mean_y)
        / (
            sum(case when is_baseline and channel = '' then weekday_factor * mean_y end)
                over (partition by period_date, season)
            + 5 * mean_y
        ) as factor
    from weekdays
),

years as (
    select
        *,
        (workday - first_workday) / 260.0 as year,
        case when is_baseline and channel = '' then factor * mean_y end as usual
    from seasons
),

centred as (
    select
        *,
        year
        - sum(usual * year) over (partition by period_date) / sum(usual) over (partition by period_date) as from_middle
    from years
),

-- log growth a year by its score; few deals, or a noisy year, leave it near none
grown as (
    select
        *,
        factor * exp(
            year
            * sum(from_middle * (y - usual)) over (partition by period_date)
            / (200 + sum(from_middle * from_middle * usual) over (partition by period_date))
        ) as trend
    from centred
)

select
    period_date,
    channel,
    workday,
    is_baseline,
    y,
    trend
    * sum(case when is_recent then y end) over (partition by period_date, channel)
    / nullif(sum(case when is_recent then trend end) over (partition by period_date, channel), 0) as expected
from grown
