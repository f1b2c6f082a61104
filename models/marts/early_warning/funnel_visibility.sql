-- What silence means: how many weeks a fault would take to be seen, by the evidence a week would bring and what the
-- stream needs for an alarm of its own. Before history is a year long there is one row: learning, and until when.
with as_of as (
    select
        max(ready_date) as ready_date,
        max(period_date) as period_date
    from {{ ref('int_chart_days') }}
),

sizes as (
    select 25 as percent_worse
    union all
    select 50
    union all
    select 100
),

streams as (
    select
        streams.*,
        sizes.percent_worse,
        -- per nat: the variance of the log-likelihood ratio, as of a shift of the log-odds
        streams.nats_a_day / 0.24 * power(ln(1 + sizes.percent_worse / 100.0) - ln(1.05), 2) / 2
            as nats_a_day_then
    from {{ ref('int_chart_streams') }} as streams
    inner join as_of on streams.period_date = as_of.period_date
    cross join sizes
)

select
    stream_id || ' +' || cast(percent_worse as {{ dbt.type_string() }}) || '%' as visibility_id,
    case when is_watched then 'watching' else 'blind' end as status,
    signal,
    stage_id,
    case when signal = 'task_timeliness' then subject end as step,
    nullif(segment, '') as segment,
    nullif(channel, '') as channel,
    nullif(team, '') as team,
    percent_worse,
    case when is_watched then ln({{ chart_threshold() }} / weight) / nats_a_day_then / 5 end as weeks_to_see,
    as_of.ready_date as ready_on
from streams
cross join as_of
union all
select
    'learning' as visibility_id,
    'learning' as status,
    null as signal,
    null as stage_id,
    null as step,
    null as segment,
    null as channel,
    null as team,
    cast(null as integer) as percent_worse,
    cast(null as double) as weeks_to_see,
    ready_date as ready_on
from as_of
where period_date is null
