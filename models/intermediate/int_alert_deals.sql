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

stays as (
    select
        deal_number,
        stage_id,
        segment,
        channel,
        team,
        entered_date,
        coalesce(exited_date, {{ far }}) as exited_date
    from {{ ref('int_chart_visits') }} as visits
    where
        exists (
            select 1 from evenings
            where
                evenings.raised_on >= visits.entered_date
                and evenings.raised_on < coalesce(visits.exited_date, {{ far }})
        )
),

spans as (
    select
        stage_id,
        segment,
        channel,
        team,
        cast(null as {{ dbt.type_string() }}) as currency,
        entered_date as from_date,
        exited_date as to_date,
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
        versions.currency,
        greatest(stays.entered_date, cast(versions.valid_from as date)) as from_date,
        least(stays.exited_date, coalesce(cast(versions.valid_to as date), {{ far }})) as to_date,
        0 as deals,
        case when versions.amount is null then 0 else 1 end as priced,
        coalesce(versions.amount, 0) as amount
    from stays
    inner join {{ ref('int_deal_values_versioned') }} as versions
        on
            stays.deal_number = versions.deal_number
            and stays.exited_date > cast(versions.valid_from as date)
            and stays.entered_date < coalesce(cast(versions.valid_to as date), {{ far }})
),

changes as (
    {% for moment, sign in {'from_date': '', 'to_date': '-'}.items() %}
        select
            {{ cell | join(', ') }},
            {{ moment }} as on_date,
            {{ sign }}sum(deals) as deals,
            {{ sign }}sum(priced) as priced,
            {{ sign }}sum(amount) as amount
        from spans
        where from_date < to_date
        group by {{ cell | join(', ') }}, {{ moment }}
        union all
    {% endfor %}
    select
        {% for column in cell %} cells.{{ column }}, {% endfor %}
        evenings.raised_on as on_date,
        0 as deals,
        0 as priced,
        0 as amount
    from (select distinct {{ cell | join(', ') }} from spans) as cells
    cross join evenings
),

standing as (
    select
        {{ cell | join(', ') }},
        on_date,
        sum(deals) over so_far as deals,
        sum(priced) over so_far as priced,
        sum(amount) over so_far as amount
    from changes
    window so_far as (partition by {{ cell | join(', ') }} order by on_date)
),

evening_cells as (
    select distinct standing.*
    from standing
    inner join evenings on standing.on_date = evenings.raised_on
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
        alerts.raised_on = cells.on_date
        and (alerts.stage_id is null or alerts.stage_id = cells.stage_id)
        and (alerts.segment is null or alerts.segment = cells.segment)
        and (alerts.channel is null or alerts.channel = cells.channel)
        and (alerts.team is null or alerts.team = cells.team)
group by alerts.alert_stream_id, alerts.raised_workday, alerts.culprit_rank
