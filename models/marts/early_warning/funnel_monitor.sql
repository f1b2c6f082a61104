-- Every stream that is watched, day by day: what was seen, what its baseline expected, and how far the evidence for a
-- fault has gone. evidence adds up over the streams of a day; at alarm_at the department's alarm goes.
select
    cast(days.workday_date as {{ dbt.type_string() }}) || ' ' || evidence.stream_id as stream_day_id,
    days.workday_date as date_day,
    evidence.stream_id,
    evidence.signal,
    evidence.stage_id,
    case when evidence.signal = 'task_timeliness' then evidence.subject end as step,
    nullif(evidence.segment, '') as segment,
    nullif(evidence.channel, '') as channel,
    nullif(evidence.team, '') as team,
    evidence.n as chances,
    cast(evidence.observed as double) as observed,
    cast(evidence.expected as double) as expected,
    cast(detectors.evidence as double) as evidence,
    cast({{ chart_threshold() }} as double) as alarm_at,
    evidence.period_date as baseline_until
from {{ ref('int_chart_evidence') }} as evidence
inner join {{ ref('int_chart_days') }} as days on evidence.workday = days.workday and days.is_business_day
inner join {{ ref('int_chart_detectors') }} as detectors
    on evidence.stream_id = detectors.stream_id and evidence.workday = detectors.workday
