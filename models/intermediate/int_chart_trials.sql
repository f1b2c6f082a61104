{{ config(materialized='table') }}

-- Everything that charts watch, as trials: so many chances on a day (n), so many of them taken (y), in a cell of
-- like ones. Each is decided on its day and never changes after it. A loss knows the week in which the deal came in, by
-- number: five workdays make a week.
--   loss_rate           a stay ended: was the deal lost? By the age of the stay, so that speed does not matter
--   stage_speed         a stay had reached an age: did it end before the next one? Told when the next age is reached
--   task_timeliness     a step was open at an age: was it done before the next one?
--   inbound_mix         a deal came in: was it of this segment?
--   activity_integrity  a week ago somebody wrote or called: did the client answer?
{% set loss_ages = [0, 2, 4, 7, 11, 16, 25, 45] %}
{% set speed_ages = [-1, 1, 3, 6, 10, 16, 25, 40] %}
{% set task_ages = [-1, 0, 1, 2, 4, 6, 9, 14, 22, 35] %}

with days as (
    select
        date_day,
        workday,
        season,
        is_business_day
    from {{ ref('int_chart_days') }}
),

last_day as (
    select max(workday) as last_workday from days
),

ages as (
    {% for subject, ages in {'speed': speed_ages, 'task': task_ages}.items() %}
        {% set outer = loop %}
        {% for age in ages[:-1] %}
            select '{{ subject }}' as kind, {{ loop.index }} as age_bin, {{ age }} as from_age, {{ ages[loop.index] }} as to_age
            {{ 'union all' if not (loop.last and outer.last) }}
        {% endfor %}
    {% endfor %}
),

visits as (
    select
        visits.stage_id,
        visits.segment,
        visits.channel,
        visits.team,
        visits.exit_type,
        cast(floor(created.workday / 5) as integer) as intake_week,
        entered.workday as entered_workday,
        exited.workday as exited_workday,
        -- counts are doubles: a sum of whole numbers is a 16-byte one, and slow
        cast(count(*) as double) as stays
    from {{ ref('int_chart_visits') }} as visits
    inner join days as entered on visits.entered_date = entered.date_day
    left join days as created on visits.created_date = created.date_day
    left join days as exited on visits.exited_date = exited.date_day
    group by all
),

losses as (
    select
        stage_id,
        segment,
        channel,
        team,
        {% for age in loss_ages[1:] %}
            case when exited_workday - entered_workday >= {{ age }} then 1 else 0 end {{ '+' if not loop.last }}
        {% endfor %} as age_bin,
        intake_week,
        exited_workday as workday,
        sum(stays) as n,
        sum(case when exit_type = 'lost' then stays else 0 end) as y
    from visits
    where exit_type in ('advanced', 'lost') and exited_workday is not null
    group by all
),

-- ages beyond the last bin are all one, as is a stay that goes on
stays as (
    select
        stage_id,
        segment,
        team,
        entered_workday,
        coalesce(least(exited_workday - entered_workday, {{ speed_ages[-1] + 1 }}), {{ speed_ages[-1] + 1 }}) as age,
        sum(stays) as stays
    from visits
    group by all
),

speeds as (
    select
        stays.stage_id,
        stays.segment,
        stays.team,
        ages.age_bin,
        stays.entered_workday + ages.to_age as workday,
        sum(stays.stays) as n,
        sum(case when stays.age <= ages.to_age then stays.stays else 0 end) as y
    from stays
    inner join ages on ages.kind = 'speed' and stays.age > ages.from_age
    inner join last_day on stays.entered_workday + ages.to_age <= last_day.last_workday
    group by all
),

steps as (
    select
        steps.step,
        steps.stage_id,
        steps.segment,
        coalesce(owners.team, 'unknown') as team,
        triggered.workday as triggered_workday,
        coalesce(least(done.workday - triggered.workday, {{ task_ages[-1] + 1 }}), {{ task_ages[-1] + 1 }}) as done_age,
        coalesce(least(ended.workday - triggered.workday, {{ task_ages[-1] + 1 }}), {{ task_ages[-1] + 1 }}) as ended_age,
        cast(count(*) as double) as steps
    from {{ ref('fct_journey_steps') }} as steps
    -- left, though days without a workday drop out below: an inner join is thought to keep a handful of rows, and then
    -- tables are built of the millions of steps and not of the days
    left join days as triggered on cast(steps.triggered_at as date) = triggered.date_day
    left join {{ ref('dim_users') }} as owners on steps.owner_id = owners.user_id
    left join days as done on cast(steps.done_at as date) = done.date_day
    left join days as ended on cast(least(steps.skipped_at, steps.ended_at) as date) = ended.date_day
    where
        steps.not_measurable_reason is null
        and (steps.done_at is null or steps.done_at >= steps.triggered_at)
    group by all
),

tasks as (
    select
        steps.step,
        steps.stage_id,
        steps.segment,
        steps.team,
        ages.age_bin,
        steps.triggered_workday + ages.to_age as workday,
        sum(steps.steps) as n,
        sum(case when steps.done_age <= ages.to_age then steps.steps else 0 end) as y
    from steps
    inner join ages
        on
            ages.kind = 'task'
            and steps.done_age > ages.from_age
            -- what ends before it was done, or before it had the time, tells nothing
            and (
                steps.ended_age > ages.to_age
                or steps.done_age <= ages.to_age
            )
    inner join last_day on steps.triggered_workday + ages.to_age <= last_day.last_workday
    group by all
),

inbound as (
    select
        deals.segment,
        deals.channel,
        days.workday,
        count(*) as deals
    from {{ ref('dim_deals') }} as deals
    inner join days on cast(deals.created_at as date) = days.date_day
    group by deals.segment, deals.channel, days.workday
),

segments as (
    select distinct segment from inbound
),

answers as (
    select
        coalesce(owners.team, 'unknown') as team,
        days.workday + 5 as workday,
        sum(touches.touches) as n,
        sum(touches.answered_touches) as y
    from {{ ref('int_chart_touches') }} as touches
    inner join days on touches.touched_date = days.date_day
    left join {{ ref('dim_users') }} as owners on touches.owner_id = owners.user_id
    inner join last_day on days.workday + 5 <= last_day.last_workday
    group by all
),

trials as (
    select
        'loss_rate' as signal,
        stage_id as subject,
        stage_id,
        segment,
        channel,
        team,
        age_bin,
        intake_week,
        workday,
        n,
        y
    from losses
    union all
    select
        'stage_speed' as signal,
        stage_id as subject,
        stage_id,
        segment,
        cast(null as {{ dbt.type_string() }}) as channel,
        team,
        age_bin,
        cast(null as integer) as intake_week,
        workday,
        n,
        y
    from speeds
    union all
    select
        'task_timeliness' as signal,
        step as subject,
        stage_id,
        segment,
        cast(null as {{ dbt.type_string() }}) as channel,
        team,
        age_bin,
        cast(null as integer) as intake_week,
        workday,
        n,
        y
    from tasks
    union all
    select
        'inbound_mix' as signal,
        segments.segment as subject,
        cast(null as {{ dbt.type_string() }}) as stage_id,
        segments.segment,
        inbound.channel,
        cast(null as {{ dbt.type_string() }}) as team,
        0 as age_bin,
        cast(null as integer) as intake_week,
        inbound.workday,
        sum(inbound.deals) as n,
        sum(case when inbound.segment = segments.segment then inbound.deals else 0 end) as y
    from inbound
    cross join segments
    group by segments.segment, inbound.channel, inbound.workday
    union all
    select
        'activity_integrity' as signal,
        'answers' as subject,
        cast(null as {{ dbt.type_string() }}) as stage_id,
        cast(null as {{ dbt.type_string() }}) as segment,
        cast(null as {{ dbt.type_string() }}) as channel,
        team,
        0 as age_bin,
        cast(null as integer) as intake_week,
        workday,
        n,
        y
    from answers
)

select
    trials.signal,
    trials.subject,
    trials.stage_id,
    coalesce(trials.segment, '') as segment,
    coalesce(trials.channel, '') as channel,
    coalesce(trials.team, '') as team,
    cast(trials.age_bin as integer) as age_bin,
    trials.intake_week,
    cast(trials.workday as integer) as workday,
    coalesce(outages.fault, days.season) as season,
    cast(trials.n as double) as n,
    cast(trials.y as double) as y
from trials
inner join days on trials.workday = days.workday and days.is_business_day
left join {{ ref('int_chart_outages') }} as outages
    on
        trials.workday = outages.workday
        and outages.kind = case trials.signal
            when 'loss_rate' then 'losses'
            when 'stage_speed' then 'stage moves'
            when 'task_timeliness' then 'steps done'
            when 'inbound_mix' then 'new deals'
        end
where outages.fault is null or outages.fault = 'clean_up'
