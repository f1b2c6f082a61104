{{ config(materialized='table') }}
{% set far = "cast('9999-12-31' as date)" %}
{% set cell = ['stage_id', 'segment', 'channel', 'team', 'currency'] %}

-- The deals that were where an alert points, on the evening of the day it was raised, with their amounts of then: what
-- came and went in each cell of like ones, day by day, summed up to those evenings. A deal is in one stay at a time.
with alerts as (
    select
        culprits.*,
        days.workday_date as raised_on
    from {{ ref('int_alert_culprits') }} as culprits
    inner join {{ ref('int_chart_days') }} as days
        on culprits.raised_workday = days.workday and days.is_business_day
),

evenings as (
    select distinct raised_on from alerts
),

-- a day counts from the evening on that comes next: what began and ended between two evenings counts in none
next_evenings as (
    select
        days.date_day,
        min(evenings.raised_on) as evening
    from (select distinct date_day from {{ ref('int_chart_days') }}) as days
    inner join evenings on days.date_day <= evenings.raised_on
    group by days.date_day
),

stays as (
    select
        visits.deal_number,
        visits.stage_id,
        visits.segment,
        visits.channel,
        visits.team,
        entered.evening as from_evening,
        coalesce(exited.evening, {{ far }}) as to_evening
    from {{ ref('int_chart_visits') }} as visits
    inner join next_evenings as entered on visits.entered_date = entered.date_day
    left join next_evenings as exited on visits.exited_date = exited.date_day
    where entered.evening < coalesce(exited.evening, {{ far }})
),

amounts as (
    select
        versions.deal_number,
        versions.currency,
        versions.amount,
        valid_from.evening as from_evening,
        coalesce(valid_to.evening, {{ far }}) as to_evening
    from {{ ref('int_deal_values_versioned') }} as versions
    inner join next_evenings as valid_from on cast(versions.valid_from as date) = valid_from.date_day
    left join next_evenings as valid_to on cast(versions.valid_to as date) = valid_to.date_day
    where valid_from.evening < coalesce(valid_to.evening, {{ far }})
),

spans as (
    select
        stage_id,
        segment,
        channel,
        team,
        cast(null as {{ dbt.type_string() }}) as currency,
        from_evening,
        to_evening,
        1 as deals,
        0 as priced,
        cast(0 as decimal(18, 2)) as amount
    from stays
    union all
    -- what the deal was worth in each part of its stay
    select
        stays.stage_id,
        stays.segment,
        stays.channel,
        stays.team,
        amounts.currency,
        greatest(stays.from_evening, amounts.from_evening) as from_evening,
        least(stays.to_evening, amounts.to_evening) as to_evening,
        0 as deals,
        case when amounts.amount is null then 0 else 1 end as priced,
        coalesce(amounts.amount, 0) as amount
    from stays
    inner join amounts
        on
            stays.deal_number = amounts.deal_number
            and stays.from_evening < amounts.to_evening
            and amounts.from_evening < stays.to_evening
),

moved as (
    {% for moment, sign in {'from_evening': '', 'to_evening': '-'}.items() %}
        select
            {{ cell | join(', ') }},
            {{ moment }} as evening,
            {{ sign }}sum(deals) as deals,
            {{ sign }}sum(priced) as priced,
            {{ sign }}sum(amount) as amount
        from spans
        group by {{ cell | join(', ') }}, {{ moment }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

changes as (
    select * from moved
    union all
    select
        {% for column in cell %} cells.{{ column }}, {% endfor %}
        evenings.raised_on as evening,
        0 as deals,
        0 as priced,
        0 as amount
    from (select distinct {{ cell | join(', ') }} from moved) as cells
    cross join evenings
),

standing as (
    select
        {{ cell | join(', ') }},
        evening,
        sum(deals) over so_far as deals,
        sum(priced) over so_far as priced,
        sum(amount) over so_far as amount
    from changes
    window so_far as (partition by {{ cell | join(', ') }} order by evening)
),

evening_cells as (
    select distinct standing.*
    from standing
    inner join evenings on standing.evening = evenings.raised_on
    where standing.deals > 0 or standing.priced > 0
)

select
    alerts.alert_stream_id,
    alerts.raised_workday,
    alerts.culprit_rank,
    cast(sum(cells.deals) as bigint) as deals,
    -- amounts of two currencies do not add up
    case when count(distinct cells.currency) = 1 then max(cells.currency) end as currency,
    case when count(distinct cells.currency) = 1 and sum(cells.priced) > 0 then sum(cells.amount) end as amount
from alerts
inner join evening_cells as cells
    on
        alerts.raised_on = cells.evening
        and (alerts.stage_id is null or alerts.stage_id = cells.stage_id)
        and (alerts.segment is null or alerts.segment = cells.segment)
        and (alerts.channel is null or alerts.channel = cells.channel)
        and (alerts.team is null or alerts.team = cells.team)
group by alerts.alert_stream_id, alerts.raised_workday, alerts.culprit_rank
