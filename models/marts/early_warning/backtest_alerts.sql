-- History replayed: every incident that people know of (seeds/known_incidents.csv) with the first alert that told of
-- it, and every alert that tells of none. Beside them, the day on which monthly revenue, monthly wins or a week's
-- conversion would have shown it. What was raised is what each day's evidence raised: nothing later goes into it.
with alerts as (
    select * from {{ ref('funnel_alerts') }}
    where culprit_rank = 1
),

incidents as (
    select
        known.incident_id,
        known.what,
        known.started_on,
        coalesce(known.ended_on, cast('9999-12-31' as date)) as ended_on,
        known.segment,
        known.channel,
        known.team,
        known.stage
    from {{ ref('known_incidents') }} as known
),

matches as (
    select
        incidents.incident_id,
        alerts.alert_id,
        row_number() over (partition by incidents.incident_id order by alerts.raised_on, alerts.alert_id) as n
    from incidents
    inner join alerts
        on
            incidents.started_on <= alerts.raised_on
            and alerts.raised_on <= {{ dbt.dateadd('month', 3, 'incidents.ended_on') }}
            -- an alert of the whole department may tell of any group, one of another kind of group does not
            {% for place in ['segment', 'channel', 'team'] %}
                and (
                    incidents.{{ place }} is null
                    or incidents.{{ place }} = alerts.{{ place }}
                    or coalesce(alerts.segment, alerts.channel, alerts.team) is null
                )
            {% endfor %}
    left join {{ ref('dim_stages') }} as stages on alerts.stage_id = stages.stage_id
    where incidents.stage is null or incidents.stage = coalesce(stages.stage, incidents.stage)
),

replayed as (
    select
        incidents.incident_id,
        incidents.what,
        incidents.started_on,
        matches.alert_id,
        case when matches.alert_id is null then 'missed' else 'found' end as verdict
    from incidents
    left join matches on incidents.incident_id = matches.incident_id and matches.n = 1
    union all
    select
        alerts.alert_id as incident_id,
        alerts.explanation as what,
        alerts.started_on_estimate as started_on,
        alerts.alert_id,
        'not known' as verdict
    from alerts
    where alerts.alert_id not in (select matches.alert_id from matches)
),

shown as (
    select
        replayed.incident_id,
    {% for figure in ['monthly_revenue', 'monthly_wins', 'weekly_conversion'] %}
        min(case when naive.figure = '{{ figure }}' then naive.shown_on end) as {{ figure }}_shown_on
        {{- ',' if not loop.last }}
    {% endfor %}
    from replayed
    left join {{ ref('int_backtest_naive') }} as naive on replayed.started_on < naive.shown_on
    group by replayed.incident_id
)

select
    replayed.incident_id,
    replayed.what,
    replayed.verdict,
    replayed.started_on,
    replayed.alert_id,
    alerts.signal,
    alerts.raised_on,
    cast({{ dbt.datediff('replayed.started_on', 'alerts.raised_on', 'day') }} as integer) as days_to_alert,
{% for figure in ['monthly_revenue', 'monthly_wins', 'weekly_conversion'] %}
    shown.{{ figure }}_shown_on,
    cast({{ dbt.datediff('alerts.raised_on', 'shown.' ~ figure ~ '_shown_on', 'day') }} as integer)
        as days_before_{{ figure }}{{ ',' if not loop.last }}

{% endfor %}
from replayed
left join alerts on replayed.alert_id = alerts.alert_id
inner join shown on replayed.incident_id = shown.incident_id
