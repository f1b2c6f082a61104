{{ config(materialized='table') }}

-- What was said of deals that were open on a day, and what became of them: by the model learnt from what was known on
-- tested_on; by the nights since, as deal_risk_history keeps it; by the CRM's own probability of the stage, which knows no
-- horizon; and by one and the same rate for all.
-- Grain: one row per deal, day, outcome and model.
{% set horizons = {'win_90d': 90, 'lost_30d': 30} %}
{% set models = {'inflight': 'asked.p_win_90d', 'base_rate': 'rates.win_90d', 'crm': 'stages.crm_probability'} %}
with snapshots as (
    select * from {{ ref('int_risk_snapshots') }}
),

tested as (
    select * from snapshots
    where snapshot_on = tested_on
),

binned as (
    select
        tested.snapshot_number,
        tested.stage_id,
        sampled.part,
        bins.bin
    from tested
    inner join {{ ref('int_risk_values') }} as sampled on tested.snapshot_number = sampled.snapshot_number
    inner join {{ ref('int_risk_bins') }} as bins on sampled.part = bins.part and {{ is_in_bin('sampled.value') }}
),

evidence as (
    select
        binned.snapshot_number,
        {% for outcome in horizons %}
            sum(weights.weight_{{ outcome }}_then) as {{ outcome }}{{ ',' if not loop.last }}
        {% endfor %}
    from binned
    inner join {{ ref('int_risk_weights') }} as weights
        on
            binned.part = weights.part
            and binned.bin = weights.bin
            and binned.stage_id = coalesce(weights.stage_id, binned.stage_id)
    group by binned.snapshot_number
),

scored as (
    select
        tested.*,
        {% for outcome in horizons %}
            {{ chance_of('cells.base_' ~ outcome ~ '_then + evidence.' ~ outcome ~ ' + segments.weight_' ~ outcome ~ '_then') }}
                as p_{{ outcome }}{{ ',' if not loop.last }}
        {% endfor %}
    from tested
    inner join evidence on tested.snapshot_number = evidence.snapshot_number
    inner join binned on tested.snapshot_number = binned.snapshot_number and binned.part = 'age_days'
    inner join {{ ref('int_risk_cells') }} as cells
        on
            tested.stage_id = cells.stage_id
            and tested.segment = cells.segment
            and binned.bin = cells.age_bin
    inner join {{ ref('int_risk_weights') }} as segments
        on segments.part = 'segment' and tested.segment = segments.segment
),

by_day as (
    select
        snapshot_on,
        count(*) as n,
        {% for outcome in horizons %} sum({{ outcome }}) as {{ outcome }}{{ ',' if not loop.last }} {% endfor %}
    from snapshots
    group by snapshot_on
),

-- of earlier days, what had come within the time by then; the recent count more, as they do for the model
rates as (
    select
        later.snapshot_on,
        {% for outcome, days in horizons.items() %}
            {%- set watched = dbt.datediff('earlier.snapshot_on', 'later.snapshot_on', 'day') -%}
            {%- set weight = 'power(0.5, ' ~ watched ~ ' / ' ~ var('cohort_half_life_days') ~ '.0)' -%}
            sum(case when {{ watched }} >= {{ days }} then {{ weight }} * earlier.{{ outcome }} end)
            / sum(case when {{ watched }} >= {{ days }} then {{ weight }} * earlier.n end) as {{ outcome }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from by_day as later
    inner join by_day as earlier on later.snapshot_on > earlier.snapshot_on
    group by later.snapshot_on
),

kept as (
    select
        snapshots.snapshot_number,
        history.p_win_90d,
        history.p_lost_30d
    from snapshots
    inner join {{ ref('deal_risk_history') }} as history
        on snapshots.deal_id = history.deal_id and snapshots.snapshot_on > history.as_of
    qualify row_number() over (partition by snapshots.snapshot_number order by history.as_of desc) = 1
),

asked as (
    select
        snapshot_on,
        stage_id,
        watched_now,
        true as is_backtest,
        {% for outcome in horizons %}
            {{ outcome }},
            p_{{ outcome }}{{ ',' if not loop.last }}
        {% endfor %}
    from scored
    union all
    select
        snapshots.snapshot_on,
        snapshots.stage_id,
        snapshots.watched_now,
        false as is_backtest,
        {% for outcome in horizons %}
            snapshots.{{ outcome }},
            kept.p_{{ outcome }}{{ ',' if not loop.last }}
        {% endfor %}
    from snapshots
    inner join kept on snapshots.snapshot_number = kept.snapshot_number
),

said as (
    {% for model, p in models.items() %}
        {% for outcome, days in horizons.items() if model != 'crm' or outcome == 'win_90d' %}
            select
                asked.snapshot_on as tested_on,
                '{{ outcome }}' as outcome,
                '{{ model }}' as model,
                asked.is_backtest,
                asked.{{ outcome }} as is_event,
                {{ p | replace('win_90d', outcome) }} as p
            from asked
            left join rates on asked.snapshot_on = rates.snapshot_on
            left join {{ ref('int_stages_completed') }} as stages on asked.stage_id = stages.stage_id
            where asked.watched_now >= {{ days }}
            {{ 'union all' if model != 'crm' }}
        {% endfor %}
    {% endfor %}
)

select
    tested_on,
    outcome,
    model,
    is_backtest,
    is_event,
    p
from said
where p is not null
