{{ config(materialized='table') }}

-- Days of which the records say more about the recording than about the business: hardly anything of a kind is logged
-- (an outage), or far more deals are closed as lost than ever before (a mass closing); what is recorded then is kept
-- out of the charts. Clean-ups that come every month are no news, nor are those of the first year, when nobody knows
-- what is usual: they count as a season of their own. Held against the same kind's days before, never later ones.
with days as (
    select
        workday,
        max(workday_date) as workday_date,
        max(period_date) as period_date
    from {{ ref('int_chart_days') }}
    group by workday
),

recorded as (
    select
        'new deals' as kind,
        cast(created_at as date) as date_day
    from {{ ref('dim_deals') }}
    union all
    select
        'stage moves' as kind,
        exited_date as date_day
    from {{ ref('int_chart_visits') }}
    where exited_date is not null
    union all
    select
        'losses' as kind,
        exited_date as date_day
    from {{ ref('int_chart_visits') }}
    where exit_type = 'lost'
    union all
    select
        'steps done' as kind,
        cast(done_at as date) as date_day
    from {{ ref('fct_journey_steps') }}
    where done_at is not null
),

counted as (
    select
        recorded.kind,
        days.workday,
        count(*) as records
    from recorded
    inner join {{ ref('int_chart_days') }} as days on recorded.date_day = days.date_day
    group by recorded.kind, days.workday
),

kinds as (
    select
        kind,
        min(workday) as first_workday
    from counted
    group by kind
),

daily as (
    select
        kinds.kind,
        days.workday,
        days.workday_date,
        days.period_date,
        coalesce(counted.records, 0) as records
    from kinds
    inner join days on kinds.first_workday <= days.workday
    left join counted on kinds.kind = counted.kind and days.workday = counted.workday
),

compared as (
    select
        *,
        median(records) over before as usual,
        quantile_cont(records, 0.98) over year_before as high,
        row_number() over (partition by kind order by workday) as days_known
    from daily
    window
        before as (partition by kind order by workday rows between 60 preceding and 1 preceding),
        year_before as (partition by kind order by workday rows between 260 preceding and 1 preceding)
),

judged as (
    select
        *,
        case
            when days_known <= 60 then null
            when kind <> 'losses' and usual >= 10 and records < 0.15 * usual then 'outage'
            when kind = 'losses' and records > 10 + 5 * usual and records > 2 * high and period_date is not null
                then 'mass_closing'
            when kind = 'losses' and records > 5 + 3 * usual then 'clean_up'
        end as fault
    from compared
)

select
    kind,
    workday,
    workday_date,
    records,
    usual,
    fault,
    -- one still day may be a holiday that nobody entered
    fault = 'mass_closing'
    or (fault = 'outage' and coalesce(workday - lag(workday) over (partition by kind order by workday) = 1, false))
        as is_alarming
from judged
where fault is not null
