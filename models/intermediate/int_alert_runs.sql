{{ config(materialized='table') }}

-- Stretches of days on which a stream, with the smaller ones that tell of the same incident, carries an alarm. The
-- first of them to begin is the incident's culprit; the others are the same incident, and raise nothing.
with named as (
    select
        stream_id,
        min(signal) as signal,
        min(subject) as subject,
        min(stage_id) as stage_id,
        min(segment) as segment,
        min(channel) as channel,
        min(team) as team
    from {{ ref('int_chart_streams') }}
    group by stream_id
),

streams as (
    select
        *,
        {{ chart_incident_keys() }}
    from named
),

hot_days as (
    select workday
    from {{ ref('int_chart_detectors') }}
    group by workday
    having sum(evidence) >= {{ chart_threshold() }}
),

hot as (
    select
        detectors.workday,
        detectors.epoch,
        detectors.evidence,
        streams.*
    from {{ ref('int_chart_detectors') }} as detectors
    inner join hot_days on detectors.workday = hot_days.workday
    inner join streams on detectors.stream_id = streams.stream_id
    where detectors.evidence > {{ chart_threshold() }} / 100.0
),

carried as (
    select
        hot.workday,
        hot.stream_id,
        hot.epoch,
        max(hot.evidence) as evidence,
        sum(others.evidence) as evidence_with_others
    from hot
    inner join hot as others
        on
            hot.workday = others.workday
            and {{ is_one_incident('hot', 'others') }}
            and (hot.evidence > others.evidence or hot.stream_id = others.stream_id)
    group by hot.workday, hot.stream_id, hot.epoch
    having sum(others.evidence) >= {{ chart_threshold() }}
),

followed as (
    select
        *,
        case
            when workday - lag(workday) over stream_days <= 20 and epoch = lag(epoch) over stream_days then 0
            else 1
        end as is_first
    from carried
    window stream_days as (partition by stream_id order by workday)
),

numbered as (
    select
        *,
        sum(is_first) over (
            partition by stream_id order by workday rows between unbounded preceding and current row
        ) as run_number
    from followed
),

runs as (
    select
        stream_id,
        run_number,
        min(epoch) as epoch,
        min(workday) as raised_workday,
        max(workday) as last_workday,
        min(case when is_first = 1 then evidence end) as evidence,
        min(case when is_first = 1 then evidence_with_others end) as evidence_with_others
    from numbered
    group by stream_id, run_number
),

described as (
    select
        runs.*,
        streams.signal,
        streams.subject,
        streams.stage_id,
        streams.segment,
        streams.channel,
        streams.team,
        streams.topic,
        streams.group_kind,
        streams.group_id
    from runs
    inner join streams on runs.stream_id = streams.stream_id
),

-- what a run is told of by one that began before it, or stronger on the same day
related as (
    select
        described.stream_id,
        described.run_number,
        earlier.stream_id as earlier_stream_id,
        earlier.run_number as earlier_run_number
    from described
    inner join described as earlier
        on
            {{ is_one_incident('earlier', 'described') }}
            and earlier.stream_id <> described.stream_id
            and earlier.last_workday + 20 >= described.raised_workday
            and (
                earlier.raised_workday < described.raised_workday
                or (
                    earlier.raised_workday = described.raised_workday
                    and (
                        earlier.evidence > described.evidence
                        or (earlier.evidence = described.evidence and earlier.stream_id < described.stream_id)
                    )
                )
            )
),

first_told as (
    select
        described.stream_id,
        described.run_number
    from described
    left join related
        on described.stream_id = related.stream_id and described.run_number = related.run_number
    where related.stream_id is null
),

-- only those count: a department as a whole that slows down with team North does not hide team South
told as (
    select distinct
        related.stream_id,
        related.run_number
    from related
    inner join first_told
        on
            related.earlier_stream_id = first_told.stream_id
            and related.earlier_run_number = first_told.run_number
)

select described.*
from described
left join told on described.stream_id = told.stream_id and described.run_number = told.run_number
where told.stream_id is null
