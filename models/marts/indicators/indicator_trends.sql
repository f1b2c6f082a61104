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

summed as (
    select
        indicator,
        week_start_date,
        coalesce(segment, '(all)') as segment,
        coalesce(team, '(all)') as team,
        coalesce(named_owner_id, '(all)') as owner_id,
        cast(sum(n) as bigint) as n,
        sum(total) / sum(n) as value,
        sqrt(greatest(0, sum(total_squared) / sum(n) - power(sum(total) / sum(n), 2)) / nullif(sum(n) - 1, 0)) as error
    from named
    group by grouping sets (
        (indicator, week_start_date),
        (indicator, week_start_date, segment),
        (indicator, week_start_date, team),
        (indicator, week_start_date, segment, team),
        (indicator, week_start_date, team, named_owner_id),
        (indicator, week_start_date, segment, team, named_owner_id)
    )
),

banded as (
    select
        *,
        count(*) over year_before as weeks_before,
        avg(value) over year_before as usual_value,
        stddev_samp(value) over year_before as usual_spread
    from summed
    window year_before as (
        partition by indicator, segment, team, owner_id
        order by week_start_date
        rows between 52 preceding and 1 preceding
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
