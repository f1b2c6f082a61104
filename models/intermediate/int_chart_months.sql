{{ config(materialized='table') }}

-- The trials by month and season: all that a baseline is learnt from, and small at any size of company.
with days as (
    select
        workday,
        max(month_date) as month_date,
        max(season) as season
    from {{ ref('int_chart_days') }}
    group by workday
)

select
    days.month_date,
    days.season,
    trials.signal,
    trials.subject,
    trials.stage_id,
    trials.segment,
    trials.channel,
    trials.team,
    trials.age_bin,
    sum(trials.n) as n,
    sum(trials.y) as y
from {{ ref('int_chart_trials') }} as trials
inner join days on trials.workday = days.workday
group by
    days.month_date, days.season, trials.signal, trials.subject, trials.stage_id, trials.segment, trials.channel,
    trials.team, trials.age_bin
