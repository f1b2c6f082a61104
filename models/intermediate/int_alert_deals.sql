{{ config(materialized='table') }}

-- The deals that were where an alert points, on the evening of the day it was raised, with their amounts of then.
with alerts as (
    select
        culprits.*,
        {{ dbt.dateadd('day', 1, 'days.workday_date') }} as raised_at,
        days.workday_date as raised_on
    from {{ ref('int_alert_culprits') }} as culprits
    inner join {{ ref('int_chart_days') }} as days
        on culprits.raised_workday = days.workday and days.is_business_day
),

there as (
    select
        alerts.alert_stream_id,
        alerts.raised_workday,
        alerts.culprit_rank,
        alerts.raised_at,
        visits.deal_id
    from alerts
    inner join {{ ref('int_chart_visits') }} as visits
        on
            alerts.raised_on >= visits.entered_date
            and (visits.exited_date is null or alerts.raised_on < visits.exited_date)
            and (alerts.stage_id is null or alerts.stage_id = visits.stage_id)
            and (alerts.segment is null or alerts.segment = visits.segment)
            and (alerts.channel is null or alerts.channel = visits.channel)
            and (alerts.team is null or alerts.team = visits.team)
),

valued as (
    select
        there.*,
        versions.amount,
        versions.currency
    from there
    left join {{ ref('int_deals_numbered') }} as numbers on there.deal_id = numbers.deal_id
    left join {{ ref('int_deal_values_versioned') }} as versions
        on
            numbers.deal_number = versions.deal_number
            and there.raised_at > versions.valid_from
            and (versions.valid_to is null or there.raised_at <= versions.valid_to)
)

select
    alert_stream_id,
    raised_workday,
    culprit_rank,
    count(distinct deal_id) as deals,
    -- amounts of two currencies do not add up
    case when count(distinct currency) = 1 then max(currency) end as currency,
    case when count(distinct currency) = 1 then sum(amount) end as amount
from valued
group by alert_stream_id, raised_workday, culprit_rank
