{{ config(materialized='table') }}

-- Of a landmark's deals, those that take long to end are missing among the ended ones: they were not given the time.
-- Each ended deal therefore stands for itself and for those like it that could not be seen to their end: the inverse
-- of the share of deals that have been watched for as long as it took. How long a deal has been watched is known of
-- all, open or not, so the share is counted, not estimated.
with landmarks as (
    select
        landmarks.landmark,
        landmarks.days_to_end,
        cast(floor({{ days_between('landmarks.landmark_at', 'as_of.as_of') }}) as integer) as days_watched
    from {{ ref('int_indicator_landmarks') }} as landmarks
    cross join {{ ref('stg_as_of') }} as as_of
    where
        landmarks.landmark_at <= as_of.as_of
        and landmarks.landmark_at >= {{ dbt.dateadd('month', -1 * var('indicator_months'), 'as_of.as_of') }}
),

days as (
    select
        landmark,
        days_watched as number_of_days,
        count(*) as watched,
        0 as is_ending
    from landmarks
    group by landmark, days_watched
    union all
    select
        landmark,
        days_to_end as number_of_days,
        0 as watched,
        1 as is_ending
    from landmarks
    where days_to_end is not null
    group by landmark, days_to_end
),

shares as (
    select
        landmark,
        number_of_days,
        is_ending,
        sum(watched) over (partition by landmark) as all_watched,
        sum(watched) over (
            partition by landmark
            order by number_of_days desc
            range between unbounded preceding and current row
        ) as watched_as_long
    from days
)

select
    landmark,
    number_of_days as days_to_end,
    all_watched / cast(watched_as_long as double) as weight
from shares
where is_ending = 1
