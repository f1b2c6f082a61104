{{ config(materialized='table') }}

-- The streams that told of an incident on the day it was raised, the one that tells most first; at most three. Each
-- with the day from which its own evidence counts: the start that makes what was seen likeliest.
with streams as (
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

described as (
    select
        streams.*,
        {{ chart_incident_keys() }}
    from streams
),

told as (
    select
        runs.stream_id as alert_stream_id,
        runs.raised_workday,
        described.stream_id,
        described.signal,
        described.subject,
        described.stage_id,
        described.segment,
        described.channel,
        described.team,
        detectors.epoch,
        detectors.evidence,
        case greatest(detectors.ln_sr_1, detectors.ln_sr_2, detectors.ln_sr_3)
            when detectors.ln_sr_1 then 1
            when detectors.ln_sr_2 then 2
            else 3
        end as size,
        row_number() over (
            partition by runs.stream_id, runs.raised_workday
            order by
                case when described.stream_id = runs.stream_id then 0 else 1 end,
                detectors.evidence desc,
                described.stream_id asc
        ) as culprit_rank
    from {{ ref('int_alert_runs') }} as runs
    inner join {{ ref('int_chart_detectors') }} as detectors on runs.raised_workday = detectors.workday
    inner join described on detectors.stream_id = described.stream_id
    where
        described.stream_id = runs.stream_id
        or ({{ is_one_incident('runs', 'described') }} and detectors.evidence > runs.evidence / 100)
),

started as (
    select
        told.alert_stream_id,
        told.raised_workday,
        told.stream_id,
        min_by(
            detectors.workday,
            case told.size
                when 1 then detectors.before_1
                when 2 then detectors.before_2
                else detectors.before_3
            end
        ) as started_workday
    from told
    inner join {{ ref('int_chart_detectors') }} as detectors
        on
            told.stream_id = detectors.stream_id
            and told.epoch = detectors.epoch
            and told.raised_workday >= detectors.workday
    where told.culprit_rank <= 3 and told.signal <> 'lead_quality'
    group by told.alert_stream_id, told.raised_workday, told.stream_id
),

seen as (
    select
        started.alert_stream_id,
        started.raised_workday,
        started.stream_id,
        min(started.started_workday) as started_workday,
        sum(evidence.n) as n,
        sum(evidence.observed) as observed,
        sum(evidence.expected) as expected
    from started
    inner join {{ ref('int_chart_evidence') }} as evidence
        on
            started.stream_id = evidence.stream_id
            and evidence.workday between started.started_workday and started.raised_workday
    group by started.alert_stream_id, started.raised_workday, started.stream_id
    union all
    -- of leads, those that came in since the week that makes it likeliest
    {% set nats = 'case told.size when 1 then intakes.nats_1 when 2 then intakes.nats_2 else intakes.nats_3 end' %}
    select
        told.alert_stream_id,
        told.raised_workday,
        told.stream_id,
        max_by(intakes.started_workday, {{ nats }}) as started_workday,
        max_by(intakes.n, {{ nats }}) as n,
        max_by(intakes.observed, {{ nats }}) as observed,
        max_by(intakes.expected, {{ nats }}) as expected
    from told
    inner join {{ ref('int_chart_intakes') }} as intakes
        on told.stream_id = intakes.stream_id and told.raised_workday = intakes.workday
    where told.culprit_rank <= 3
    group by told.alert_stream_id, told.raised_workday, told.stream_id
)

select
    told.alert_stream_id,
    told.raised_workday,
    told.culprit_rank,
    told.stream_id,
    told.signal,
    told.subject,
    told.stage_id,
    nullif(told.segment, '') as segment,
    nullif(told.channel, '') as channel,
    nullif(told.team, '') as team,
    told.evidence,
    seen.started_workday,
    seen.n,
    seen.observed,
    seen.expected
from told
inner join seen
    on
        told.alert_stream_id = seen.alert_stream_id
        and told.raised_workday = seen.raised_workday
        and told.stream_id = seen.stream_id
