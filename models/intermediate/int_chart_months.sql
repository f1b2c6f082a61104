{{ config(materialized='table') }}

-- The trials by month and season: all that a baseline is learnt from, and small at any size of company.
select
    days.month_date,
    trials.season,
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
inner join {{ ref('int_chart_days') }} as days on trials.workday = days.workday and days.is_business_day
group by
    days.month_date, trials.season, trials.signal, trials.subject, trials.stage_id, trials.segment, trials.channel,
    trials.team, trials.age_bin
