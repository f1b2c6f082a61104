{{ config(materialized='table') }}

-- The score of every open deal, part by part: where deals of its stage, segment and age start (`base`), and what each
-- thing that is known of it adds or takes away, in log-odds. What is not known adds nothing. All parts of an outcome are
-- null where it has no base: the company is too young for it.
-- Grain: one row per open deal and part. Contributions add up to the score of an outcome, and to nothing across deals.
{% set fits = {'win_90d': 'win_90d_now', 'lost_30d': 'lost_30d_now', 'win_ever': 'win_ever_now'} %}
{% set never_seen = 1 / var('risk_shrinkage') %}
with deals as (
    select
        deals._deal_number as deal_number,
        deals.deal_id,
        deals.segment,
        deals.created_at,
        coalesce(known.stage_id, 'unknown') as stage_id,
        {{ days_between('deals.created_at', 'as_of.as_of') }} as age_days,
        {{ days_between('known.entered_at', 'as_of.as_of') }} as days_in_stage
    from {{ ref('dim_deals') }} as deals
    cross join {{ ref('stg_as_of') }} as as_of
    left join {{ ref('int_indicator_stages_known') }} as known
        on deals.deal_id = known.deal_id and known.until_at is null and known.is_open_stage
    where deals.status = 'open'
),

shown as (
    select
        deals.deal_number,
        deals.stage_id,
        today.indicator as part,
        today.value,
        today.norm,
        -- nothing has happened yet: the value is what was declared, and the indicator's own table has no row
        today.since_at = deals.created_at as is_from_start
    from deals
    inner join {{ ref('indicator_values_today') }} as today on deals.deal_id = today.deal_id
    where today.value is not null
    union all
    {% for part in ['days_in_stage', 'age_days'] %}
        select
            deal_number,
            stage_id,
            '{{ part }}' as part,
            {{ part }} as value,
            null as norm,
            false as is_from_start
        from deals
        where {{ part }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

binned as (
    select
        shown.*,
        bins.bin
    from shown
    inner join {{ ref('int_risk_bins') }} as bins on shown.part = bins.part and {{ is_in_bin('shown.value') }}
),

weights as (
    select * from {{ ref('int_risk_weights') }}
),

starts as (
    select
        deals.deal_number,
        deals.stage_id,
        'base' as part,
        deals.age_days as value,
        null as norm,
        false as is_from_start,
        cells.days_to_end,
        {% for outcome, fit in fits.items() %}
            cells.base_{{ fit }} + coalesce(of_segment.weight_{{ fit }}, 0) + coalesce(of_age.weight_{{ fit }}, 0)
                as {{ outcome }},
            cells.variance_{{ fit }}
            + coalesce(of_segment.variance_{{ fit }}, {{ never_seen }}) + coalesce(of_age.variance_{{ fit }}, {{ never_seen }})
                as {{ outcome }}_variance{{ ',' if not loop.last }}
        {% endfor %}
    from deals
    left join binned on deals.deal_number = binned.deal_number and binned.part = 'age_days'
    left join {{ ref('int_risk_cells') }} as cells
        on
            deals.stage_id = cells.stage_id
            and deals.segment = cells.segment
            and binned.bin = cells.age_bin
    left join weights as of_segment on of_segment.part = 'segment' and deals.segment = of_segment.segment
    left join weights as of_age
        on of_age.part = 'age_days' and binned.bin = of_age.bin and deals.stage_id = of_age.stage_id
),

parts as (
    select * from starts
    union all
    select
        binned.deal_number,
        binned.stage_id,
        binned.part,
        binned.value,
        binned.norm,
        binned.is_from_start,
        null as days_to_end,
        {% for outcome, fit in fits.items() %}
            case
                when starts.{{ outcome }} is not null
                    then coalesce(everywhere.weight_{{ fit }}, 0) + coalesce(in_stage.weight_{{ fit }}, 0)
            end as {{ outcome }},
            coalesce(everywhere.variance_{{ fit }}, {{ never_seen }}) + coalesce(in_stage.variance_{{ fit }}, {{ never_seen }})
                as {{ outcome }}_variance
            {{- ',' if not loop.last }}
        {% endfor %}
    from binned
    inner join starts on binned.deal_number = starts.deal_number
    left join weights as everywhere
        on binned.part = everywhere.part and binned.bin = everywhere.bin and everywhere.stage_id is null
    left join weights as in_stage
        on binned.part = in_stage.part and binned.bin = in_stage.bin and binned.stage_id = in_stage.stage_id
    where binned.part <> 'age_days'
),

scores as (
    select
        deal_number,
        stage_id,
        {% for outcome in fits %} sum({{ outcome }}) as {{ outcome }}{{ ',' if not loop.last }} {% endfor %}
    from parts
    group by deal_number, stage_id
),

-- Each chance is estimated by itself, and they have to agree: what is won within 90 days is won, and what is lost within
-- 30 is not. The chance that reaches less far goes first, as more of what it speaks of has been seen.
agreed as (
    select
        *,
        greatest(0, win_90d - win_ever) as to_win_90d,
        least(0, -win_90d - lost_30d) as off_win_90d,
        least(0, -least(lost_30d, -win_90d) - greatest(win_ever, win_90d)) as off_lost_30d
    from scores
    where win_90d is not null and lost_30d is not null and win_ever is not null
)

select * from parts
union all
select
    deal_number,
    stage_id,
    'win_90d' as part,
    {{ chance_of('win_90d') }} as value,
    null as norm,
    false as is_from_start,
    null as days_to_end,
    0 as win_90d,
    0 as win_90d_variance,
    off_win_90d as lost_30d,
    0 as lost_30d_variance,
    to_win_90d as win_ever,
    0 as win_ever_variance
from agreed
where to_win_90d > 0 or off_win_90d < 0
union all
select
    deal_number,
    stage_id,
    'lost_30d' as part,
    {{ chance_of('least(lost_30d, -win_90d)') }} as value,
    null as norm,
    false as is_from_start,
    null as days_to_end,
    0 as win_90d,
    0 as win_90d_variance,
    0 as lost_30d,
    0 as lost_30d_variance,
    off_lost_30d as win_ever,
    0 as win_ever_variance
from agreed
where off_lost_30d < 0
