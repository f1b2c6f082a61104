{{ config(materialized='table') }}

-- Additive weights of evidence: by how much a feature moves the log-odds beyond what its deals' cells and all their
-- other features say already, (O - E) / (V + shrinkage). Features overlap, so one round counts the same thing twice:
-- each round goes from where the last one stood, along a direction conjugate to it and as far as pays, one length for
-- all. That is a ridge regression on the cells' log-odds, by conjugate gradients.
-- Grain: one row per feature, with a weight and its variance for each fit.
{% set fits = risk_fits() %}
{% set rounds = 8 %}
{% set ridge = var('risk_shrinkage') %}
with binned as (
    select
        sampled.snapshot_number,
        sampled.stage_id,
        sampled.part,
        bins.bin
    from {{ ref('int_risk_values') }} as sampled
    inner join {{ ref('int_risk_bins') }} as bins on sampled.part = bins.part and {{ is_in_bin('sampled.value') }}
),

features as (
    select * from {{ ref('int_risk_features') }}
),

-- each part once, by its bin in the stage; what it shares with other stages is added where a round comes to it
seen as (
    select
        binned.snapshot_number,
        features.feature_number
    from binned
    inner join features
        on binned.part = features.part and binned.bin = features.bin and binned.stage_id = features.stage_id
    union all
    select
        snapshots.snapshot_number,
        features.feature_number
    from {{ ref('int_risk_snapshots') }} as snapshots
    inner join features on features.part = 'segment' and snapshots.segment = features.segment
),

scores_0 as (
    select
        snapshots.snapshot_number,
        {% for outcome in fits.values() | unique %} snapshots.{{ outcome }}, {% endfor %}
        {% for fit in fits %}
            snapshots.weight_{{ fit }},
            coalesce(cells.base_{{ fit }}, 0) as {{ fit }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_risk_snapshots') }} as snapshots
    inner join binned on snapshots.snapshot_number = binned.snapshot_number and binned.part = 'age_days'
    inner join {{ ref('int_risk_cells') }} as cells
        on
            snapshots.stage_id = cells.stage_id
            and snapshots.segment = cells.segment
            and binned.bin = cells.age_bin
),

directions_0 as (
    select
        feature_number,
        {% for fit in fits %}
            cast(0 as double) as weight_{{ fit }},
            cast(0 as double) as direction_{{ fit }},
            cast(null as double) as slope_{{ fit }}{{ ',' if not loop.last }}
        {% endfor %}
    from features
),

{% for round in range(1, rounds + 1) %}
    missed_{{ round }} as (
        select
            seen.feature_number,
            {% for fit in fits %}
                sum(missed.miss_{{ fit }}) as miss_{{ fit }},
                sum(missed.spread_{{ fit }}) as spread_{{ fit }}{{ ',' if not loop.last }}
            {% endfor %}
        from seen
        inner join (
            select
                snapshot_number,
                {% for fit, outcome in fits.items() %}
                    weight_{{ fit }} * ({{ outcome }} - {{ chance_of(fit) }}) as miss_{{ fit }},
                    weight_{{ fit }} * {{ chance_of(fit) }} * (1 - {{ chance_of(fit) }}) as spread_{{ fit }}
                    {{- ',' if not loop.last }}
                {% endfor %}
            from scores_{{ round - 1 }}
        ) as missed on seen.snapshot_number = missed.snapshot_number
        group by seen.feature_number
    ),

    misses_{{ round }} as (
        select * from missed_{{ round }}
        union all
        select
            features.wide_number as feature_number,
            {% for fit in fits %}
                sum(missed.miss_{{ fit }}) as miss_{{ fit }},
                sum(missed.spread_{{ fit }}) as spread_{{ fit }}{{ ',' if not loop.last }}
            {% endfor %}
        from missed_{{ round }} as missed
        inner join features on missed.feature_number = features.feature_number and features.wide_number is not null
        group by features.wide_number
    ),

    pulls_{{ round }} as (
        select
            misses.*,
            {% for fit in fits %}
                before.weight_{{ fit }},
                before.direction_{{ fit }},
                before.slope_{{ fit }} as slope_before_{{ fit }},
                {{ 'features.is_trusted_then *' if fit in ['win_90d_then', 'lost_30d_then'] }}
                (misses.miss_{{ fit }} - {{ ridge }} * before.weight_{{ fit }}) as pull_{{ fit }}
                {{- ',' if not loop.last }}
            {% endfor %}
        from misses_{{ round }} as misses
        inner join directions_{{ round - 1 }} as before on misses.feature_number = before.feature_number
        inner join features on misses.feature_number = features.feature_number
    ),

    turned_{{ round }} as (
        select
            *,
            {% for fit in fits %}
                pull_{{ fit }} / (spread_{{ fit }} + {{ ridge }})
                + coalesce(slope_{{ fit }} / nullif(slope_before_{{ fit }}, 0), 0) * direction_{{ fit }} as turn_{{ fit }}
                {{- ',' if not loop.last }}
            {% endfor %}
        from (
            select
                *,
                {% for fit in fits %}
                    sum(power(pull_{{ fit }}, 2) / (spread_{{ fit }} + {{ ridge }})) over () as slope_{{ fit }}
                    {{- ',' if not loop.last }}
                {% endfor %}
            from pulls_{{ round }}
        ) as sloped
    ),

    moves_{{ round }} as (
        select
            seen.snapshot_number,
            {% for fit in fits %} sum(turned.{{ fit }}) as {{ fit }}{{ ',' if not loop.last }} {% endfor %}
        from seen
        inner join (
            select
                features.feature_number,
                {% for fit in fits %}
                    own.turn_{{ fit }} + coalesce(wide.turn_{{ fit }}, 0) as {{ fit }}{{ ',' if not loop.last }}
                {% endfor %}
            from features
            inner join turned_{{ round }} as own on features.feature_number = own.feature_number
            left join turned_{{ round }} as wide on features.wide_number = wide.feature_number
        ) as turned on seen.feature_number = turned.feature_number
        group by seen.snapshot_number
    ),

    curves_{{ round }} as (
        select
            {% for fit in fits %}
                sum(
                    scores.weight_{{ fit }} * {{ chance_of('scores.' ~ fit) }} * (1 - {{ chance_of('scores.' ~ fit) }})
                    * moves.{{ fit }} * moves.{{ fit }}
                ) as {{ fit }}{{ ',' if not loop.last }}
            {% endfor %}
        from scores_{{ round - 1 }} as scores
        inner join moves_{{ round }} as moves on scores.snapshot_number = moves.snapshot_number
    ),

    lengths_{{ round }} as (
        select
            {% for fit in fits %}
                coalesce(
                    sum(turned.turn_{{ fit }} * turned.pull_{{ fit }})
                    / nullif(max(curves.{{ fit }}) + {{ ridge }} * sum(power(turned.turn_{{ fit }}, 2)), 0), 0
                ) as {{ fit }}{{ ',' if not loop.last }}
            {% endfor %}
        from turned_{{ round }} as turned
        cross join curves_{{ round }} as curves
    ),

    scores_{{ round }} as (
        select
            scores.snapshot_number,
            {% for outcome in fits.values() | unique %} scores.{{ outcome }}, {% endfor %}
            {% for fit in fits %}
                scores.weight_{{ fit }},
                scores.{{ fit }} + lengths.{{ fit }} * moves.{{ fit }} as {{ fit }}{{ ',' if not loop.last }}
            {% endfor %}
        from scores_{{ round - 1 }} as scores
        inner join moves_{{ round }} as moves on scores.snapshot_number = moves.snapshot_number
        cross join lengths_{{ round }} as lengths
    ),

    directions_{{ round }} as (
        select
            turned.feature_number,
            {% for fit in fits %}
                turned.spread_{{ fit }},
                turned.weight_{{ fit }} + lengths.{{ fit }} * turned.turn_{{ fit }} as weight_{{ fit }},
                turned.turn_{{ fit }} as direction_{{ fit }},
                turned.slope_{{ fit }}{{ ',' if not loop.last }}
            {% endfor %}
        from turned_{{ round }} as turned
        cross join lengths_{{ round }} as lengths
    ){{ ',' if not loop.last }}
{% endfor %}

select
    features.feature_number,
    features.part,
    features.bin,
    features.stage_id,
    features.segment,
    {% for fit in fits %}
        round(weights.weight_{{ fit }}, 6) as weight_{{ fit }},
        1 / (weights.spread_{{ fit }} + {{ ridge }}) as variance_{{ fit }}{{ ',' if not loop.last }}
    {% endfor %}
from features
inner join directions_{{ rounds }} as weights on features.feature_number = weights.feature_number
