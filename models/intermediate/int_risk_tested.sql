{{ config(materialized='table') }}

-- What was said of deals that were open on a day, and what became of them: by the model learnt from what was known on
-- tested_on; by the nights since, as deal_risk_history keeps it; by the CRM's own probability of the stage, which knows no
-- horizon; and by one and the same rate for all.
-- Grain: one row per deal, day, outcome and model.
{% set horizons = {'win_90d': 90, 'lost_30d': 30} %}
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

rates as (
    select
        {% for outcome in horizons %}
            sum(weight_{{ outcome }}_then * {{ outcome }}) / nullif(sum(weight_{{ outcome }}_then), 0) as {{ outcome }}
            {{- ',' if not loop.last }}
        {% endfor %}
    from snapshots
),

kept as (
    select
        snapshots.snapshot_number,
        history.p_win_90d,
        history.p_lost_30d
    from snapshots
    inner join {{ ref('deal_risk_history') }} as history
        on snapshots.deal_id = history.deal_id and history.as_of < snapshots.snapshot_on
    qualify row_number() over (partition by snapshots.snapshot_number order by history.as_of desc) = 1
),

said as (
    {% for outcome, days in horizons.items() %}
        select
            snapshot_on as tested_on,
            '{{ outcome }}' as outcome,
            'inflight' as model,
            true as is_backtest,
            {{ outcome }} as is_event,
            p_{{ outcome }} as p
        from scored
        union all
        select
            scored.snapshot_on as tested_on,
            '{{ outcome }}' as outcome,
            'base_rate' as model,
            true as is_backtest,
            scored.{{ outcome }} as is_event,
            rates.{{ outcome }} as p
        from scored
        cross join rates
        union all
        select
            snapshots.snapshot_on as tested_on,
            '{{ outcome }}' as outcome,
            'inflight' as model,
            false as is_backtest,
            snapshots.{{ outcome }} as is_event,
            kept.p_{{ outcome }} as p
        from snapshots
        inner join kept on snapshots.snapshot_number = kept.snapshot_number
        where snapshots.watched_now >= {{ days }}
        union all
    {% endfor %}
    select
        scored.snapshot_on as tested_on,
        'win_90d' as outcome,
        'crm' as model,
        true as is_backtest,
        scored.win_90d as is_event,
        stages.crm_probability as p
    from scored
    inner join {{ ref('int_stages_completed') }} as stages on scored.stage_id = stages.stage_id
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
