{{ config(materialized='table') }}

-- Each indicator by week, at the deals' ages that are landmarks: deals of the same age are compared, so a week with
-- many young deals looks no different. n, sum and sum of squares would add up; means do not. The band is where nine in
-- ten of the weeks of the year before lie, the week itself not among them.
with weeks as (
    select
        landmarks.indicator,
        cast({{ dbt.date_trunc('week', 'landmarks.landmark_at') }} as date) as week_start_date,
        landmarks.segment,
        landmarks.owner_id,
        count(*) as n,
        sum(landmarks.value) as total,
        sum(landmarks.value * landmarks.value) as total_squared
    from {{ ref('indicator_landmarks') }} as landmarks
    where landmarks.landmark like 'age%'
    group by
        landmarks.indicator, cast({{ dbt.date_trunc('week', 'landmarks.landmark_at') }} as date), landmarks.segment,
        landmarks.owner_id
),

named as (
    select
        weeks.*,
        coalesce(weeks.owner_id, 'unknown') as named_owner_id,
        coalesce(users.team, 'unknown') as team
    from weeks
    left join {{ ref('dim_users') }} as users on weeks.owner_id = users.user_id
    -- a week that has not ended would compare three days with seven
    where {{ dbt.dateadd('day', 7, 'weeks.week_start_date') }} <= (select as_of from {{ ref('stg_as_of') }})
),

-- what a slice of all deals keeps apart
slices as (
    {% for by_segment in [0, 1] %}
        {% for by_team, by_owner in [(0, 0), (1, 0), (1, 1)] %}
            select
                {{ by_segment }} as by_segment,
                {{ by_team }} as by_team,
                {{ by_owner }} as by_owner
            {{ 'union all' if not (loop.last and by_segment) }}
        {% endfor %}
    {% endfor %}
),

sliced as (
    select
        named.indicator,
        named.week_start_date,
        case when slices.by_segment = 1 then named.segment else '(all)' end as segment,
        case when slices.by_team = 1 then named.team else '(all)' end as team,
        case when slices.by_owner = 1 then named.named_owner_id else '(all)' end as owner_id,
        named.n,
        named.total,
        named.total_squared
    from named
    cross join slices
),

summed as (
    select
        indicator,
        week_start_date,
        segment,
        team,
        owner_id,
        cast(sum(n) as bigint) as n,
        sum(total) / sum(n) as value,
        sqrt(greatest(0, sum(total_squared) / sum(n) - power(sum(total) / sum(n), 2)) / nullif(sum(n) - 1, 0)) as error
    from sliced
    group by indicator, week_start_date, segment, team, owner_id
),

banded as (
    select
        *,
        count(*) over year_before as weeks_before,
        avg(value) over year_before as usual_value,
        stddev_samp(value) over year_before as usual_spread
    from summed
    -- by the calendar: a slice without deals in some weeks would else look further back than a year
    window year_before as (
        partition by indicator, segment, team, owner_id
        order by {{ dbt.datediff("cast('2000-01-03' as date)", 'week_start_date', 'day') }}
        range between 364 preceding and 7 preceding
    )
)

select
    indicator || '|' || cast(week_start_date as {{ dbt.type_string() }}) || '|' || segment || '|' || team || '|' || owner_id
        as trend_id,
    indicator,
    week_start_date,
    segment,
    team,
    owner_id,
    n,
    value,
    value - 1.645 * error as value_low,
    value + 1.645 * error as value_high,
    case when weeks_before >= 12 then usual_value end as usual_value,
    case when weeks_before >= 12 then usual_value - 1.645 * usual_spread end as usual_low,
    case when weeks_before >= 12 then usual_value + 1.645 * usual_spread end as usual_high
from banded
