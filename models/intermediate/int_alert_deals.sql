{{ config(materialized='table') }}
{% set far = "cast('9999-12-31' as " ~ dbt.type_timestamp() ~ ')' %}

-- The deals that were where an alert points, on the evening of the day it was raised, with their amounts of then. What
-- was open on a day is looked up once, for all alerts of that day.
with alerts as (
    select
        culprits.*,
        {{ dbt.dateadd('day', 1, 'days.workday_date') }} as raised_at,
        days.workday_date as raised_on
    from {{ ref('int_alert_culprits') }} as culprits
    inner join {{ ref('int_chart_days') }} as days
        on culprits.raised_workday = days.workday and days.is_business_day
),

evenings as (
    select distinct
        raised_on,
        raised_at
    from alerts
),

open_then as (
    select
        evenings.raised_on,
        evenings.raised_at,
        visits.deal_id,
        visits.stage_id,
        visits.segment,
        visits.channel,
        visits.team
    from evenings
    inner join {{ ref('int_chart_visits') }} as visits
        on
            evenings.raised_on >= visits.entered_date
            and evenings.raised_on < coalesce(visits.exited_date, cast({{ far }} as date))
),

valued as (
    select
        open_then.*,
        versions.amount,
        versions.currency
    from open_then
    left join {{ ref('int_deals_numbered') }} as numbers on open_then.deal_id = numbers.deal_id
    left join {{ ref('int_deal_values_versioned') }} as versions
        on
            numbers.deal_number = versions.deal_number
            and open_then.raised_at > versions.valid_from
            -- not `or valid_to is null`: an outer join on an or is tried pair by pair
            and open_then.raised_at <= coalesce(versions.valid_to, {{ far }})
)

select
    alerts.alert_stream_id,
    alerts.raised_workday,
    alerts.culprit_rank,
    count(distinct valued.deal_id) as deals,
    -- amounts of two currencies do not add up
    case when count(distinct valued.currency) = 1 then max(valued.currency) end as currency,
    case when count(distinct valued.currency) = 1 then sum(valued.amount) end as amount
from alerts
inner join valued
    on
        alerts.raised_on = valued.raised_on
        and (alerts.stage_id is null or alerts.stage_id = valued.stage_id)
        and (alerts.segment is null or alerts.segment = valued.segment)
        and (alerts.channel is null or alerts.channel = valued.channel)
        and (alerts.team is null or alerts.team = valued.team)
group by alerts.alert_stream_id, alerts.raised_workday, alerts.culprit_rank
