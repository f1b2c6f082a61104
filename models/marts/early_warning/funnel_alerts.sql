-- One incident is one alert: its rows share alert_id, culprit_rank 1 is where to look first. Count alerts where
-- culprit_rank = 1. What a row says is what was known on the evening of raised_on; only status and cleared_on move on.
with workdays as (
    select
        workday,
        workday_date
    from {{ ref('int_chart_days') }}
    where is_business_day
),

raised as (
    select
        culprits.*,
        raised.workday_date as raised_on,
        started.workday_date as started_on_estimate,
        cleared.workday_date as cleared_on,
        coalesce(deals.deals, 0) as open_deals,
        deals.amount as open_amount,
        deals.currency,
        culprits.observed / nullif(culprits.expected, 0) as effect,
        stages.stage
    from {{ ref('int_alert_culprits') }} as culprits
    inner join {{ ref('int_alert_runs') }} as runs
        on culprits.alert_stream_id = runs.stream_id and culprits.raised_workday = runs.raised_workday
    inner join workdays as raised on culprits.raised_workday = raised.workday
    inner join workdays as started on culprits.started_workday = started.workday
    -- four weeks without alarm: a stream has no rows on days without chances, and is not cleared by that
    left join workdays as cleared on runs.last_workday + 21 = cleared.workday
    left join {{ ref('int_alert_deals') }} as deals
        on
            culprits.alert_stream_id = deals.alert_stream_id
            and culprits.raised_workday = deals.raised_workday
            and culprits.culprit_rank = deals.culprit_rank
    left join {{ ref('dim_stages') }} as stages on culprits.stage_id = stages.stage_id
),

worded as (
    select
        *,
        coalesce('segment ' || segment, 'channel ' || channel, 'team ' || team, 'the whole department') as place,
        coalesce(stage || ', ', '') as at_stage,
        cast(cast(round(observed) as bigint) as {{ dbt.type_string() }}) as seen,
        cast(cast(round(expected) as bigint) as {{ dbt.type_string() }}) as usual,
        cast(started_on_estimate as {{ dbt.type_string() }}) as since,
        cast(open_deals as {{ dbt.type_string() }}) as there
    from raised
),

processes as (
    select
        cast(raised_on as {{ dbt.type_string() }}) || ' ' || alert_stream_id as alert_id,
        raised_on,
        cleared_on,
        signal,
        stage_id,
        case when signal = 'task_timeliness' then subject end as step,
        segment,
        channel,
        team,
        observed,
        expected,
        effect,
        {{ byar_low('observed', 'expected') }} as effect_low,
        {{ byar_high('observed', 'expected') }} as effect_high,
        evidence,
        started_on_estimate,
        case
            when signal in ('inbound_volume', 'inbound_mix') then cast(round(expected - observed) as bigint)
            else open_deals
        end as deals_affected,
        case
            when signal in ('inbound_volume', 'inbound_mix')
                then open_amount / nullif(open_deals, 0) * round(expected - observed)
            else open_amount
        end as amount_at_stake,
        currency,
        culprit_rank,
        case signal
            when 'loss_rate'
                then
                    at_stage || place || ': more deals are lost. Since about ' || since || ', ' || seen
                    || ' of those that left the stage were lost where ' || usual || ' would be usual. ' || there
                    || ' open deals were there when it was raised.'
            when 'lead_quality'
                then
                    'Deals that came in from ' || place || ' since about ' || since
                    || ' are lost more often, whatever the stage: ' || seen || ' where ' || usual
                    || ' would be usual. ' || there
                    || ' of them were open when it was raised.'
            when 'stage_speed'
                then
                    at_stage || place || ': deals stay longer. Since about ' || since || ', ' || seen
                    || ' moved on in time where ' || usual || ' would be usual. ' || there
                    || ' open deals were there when it was raised.'
            when 'task_timeliness'
                then
                    at_stage || place || ': the step ' || replace(subject, '_', ' ') || ' takes longer. Since about '
                    || since || ', ' || seen || ' were done in time where ' || usual || ' would be usual. ' || there
                    || ' open deals were there when it was raised.'
            when 'inbound_mix'
                then
                    'Fewer of the new deals are of ' || place || ': ' || seen || ' since about ' || since || ' where '
                    || usual || ' would be usual among as many.'
            when 'inbound_volume'
                then
                    'Fewer deals come in, ' || place || ': ' || seen || ' since about ' || since || ' where ' || usual
                    || ' would be usual.'
            when 'activity_integrity'
                then
                    'Clients answer less of what is sent to them, ' || place || ': ' || seen
                    || ' answers since about ' || since || ' where ' || usual
                    || ' would be usual for as many calls and mails. Something to look at, before anything else.'
        end as explanation
    from worded
),

outages as (
    select
        outages.*,
        case
            when outages.workday - lag(outages.workday) over outages_of_kind <= 5 then 0
            else 1
        end as is_first
    from {{ ref('int_chart_outages') }} as outages
    where outages.is_alarming
    window outages_of_kind as (partition by outages.kind order by outages.workday)
),

outage_runs as (
    select
        *,
        sum(is_first) over (
            partition by kind order by workday rows between unbounded preceding and current row
        ) as run_number
    from outages
),

recording as (
    select
        kind,
        min(workday_date) as raised_on,
        max(workday) as last_workday,
        min_by(records, workday) as observed,
        min_by(usual, workday) as expected,
        min_by(fault, workday) as fault
    from outage_runs
    group by kind, run_number
),

alerts as (
    select * from processes
    union all
    select
        cast(recording.raised_on as {{ dbt.type_string() }}) || ' data_quality|' || recording.kind as alert_id,
        recording.raised_on,
        cleared.workday_date as cleared_on,
        'data_quality' as signal,
        null as stage_id,
        null as step,
        null as segment,
        null as channel,
        null as team,
        observed,
        expected,
        observed / nullif(expected, 0) as effect,
        null as effect_low,
        null as effect_high,
        null as evidence,
        recording.raised_on as started_on_estimate,
        null as deals_affected,
        null as amount_at_stake,
        null as currency,
        1 as culprit_rank,
        case fault
            when 'outage'
                then
                    'Hardly any ' || kind || ' are recorded: ' || cast(cast(observed as bigint) as {{ dbt.type_string() }})
                    || ' on this day where ' || cast(cast(expected as bigint) as {{ dbt.type_string() }})
                    || ' are usual, and hardly any the day before. Look at the recording before the business.'
            else
                cast(cast(observed as bigint) as {{ dbt.type_string() }}) || ' deals were closed as lost on one day, where '
                || cast(cast(expected as bigint) as {{ dbt.type_string() }})
                || ' are usual: a clean-up rather than a bad day. The charts leave them out.'
        end as explanation
    from recording
    left join workdays as cleared on recording.last_workday + 6 = cleared.workday
)

select
    alert_id || '#' || cast(culprit_rank as {{ dbt.type_string() }}) as alert_culprit_id,
    alert_id,
    raised_on,
    case when cleared_on is null then 'open' else 'cleared' end as status,
    cleared_on,
    signal,
    stage_id,
    step,
    segment,
    channel,
    team,
    cast(observed as double) as observed,
    cast(expected as double) as expected,
    cast(effect as double) as effect,
    cast(effect_low as double) as effect_low,
    cast(effect_high as double) as effect_high,
    cast(evidence as double) as evidence,
    started_on_estimate,
    cast(deals_affected as bigint) as deals_affected,
    cast(amount_at_stake as decimal(18, 2)) as amount_at_stake,
    currency,
    cast(culprit_rank as integer) as culprit_rank,
    explanation,
    (select as_of from {{ ref('stg_as_of') }}) as as_of
from alerts
