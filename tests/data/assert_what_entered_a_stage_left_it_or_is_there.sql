{{ config(meta={'dagster': {'ref': {'name': 'fct_stage_visits'}}}) }}

-- Entered = advanced + lost + moved back + handed off + there, per stage at the end of a day: tonight, a month ago and
-- a year ago. Who is there is counted by the times of the stay, who left by its way out.
with days as (
    select cast(as_of as date) as date_day from {{ ref('stg_as_of') }}
    union all
    select cast({{ dbt.dateadd('day', -30, 'as_of') }} as date) as date_day from {{ ref('stg_as_of') }}
    union all
    select cast({{ dbt.dateadd('day', -365, 'as_of') }} as date) as date_day from {{ ref('stg_as_of') }}
),

counted as (
    select
        days.date_day,
        visits.stage_id,
        count(*) as entered,
        sum(
            case
                when
                    visits.exit_type in ('advanced', 'lost', 'moved_back', 'handed_off')
                    and cast(visits.exited_at as date) <= days.date_day
                    then 1
                else 0
            end
        ) as gone,
        sum(case when cast(coalesce(visits.exited_at, '9999-12-31') as date) > days.date_day then 1 else 0 end)
            as there
    from {{ ref('fct_stage_visits') }} as visits
    inner join days on cast(visits.entered_at as date) <= days.date_day
    group by days.date_day, visits.stage_id
)

select * from counted
where entered <> gone + there
