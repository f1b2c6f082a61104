-- What won deals had by an age that lost ones of the same segment and stage had not. Only deals still open at that age:
-- whoever had lost by then could not have had it. A deal that takes long to end counts for those like it that have not
-- ended. Shares are means over stages with the same weights for both (Mantel-Haenszel), so their difference is no
-- matter of how far deals had come. For an indicator the share is of values as good as its norm, for a step of those done.
-- What nearly all deals had, or hardly any, won and lost alike, tells nothing and is left out. What is beyond chance is
-- ranked by the difference there is at least, rounded: a step and its indicator may tell the same, and not by the last bit.
{% set hardly_any, nearly_all = 0.02, 0.98 %}
with ledger_counts as (
    select
        counts.landmark,
        counts.segment,
        counts.stage_id,
        'indicator' as kind,
        counts.indicator as thing,
        case
            when indicators.direction = 'lower' and counts.value <= coalesce(indicators.declared_norm, own.norm, overall.norm) then 1
            when indicators.direction = 'higher' and counts.value >= coalesce(indicators.declared_norm, own.norm, overall.norm) then 1
            else 0
        end as has_it,
        counts.value,
        counts.won,
        counts.lost,
        counts.won_weight,
        counts.lost_weight,
        counts.won_weight_squared,
        counts.lost_weight_squared
    from {{ ref('int_indicator_counts') }} as counts
    inner join {{ ref('dim_indicators') }} as indicators on counts.indicator = indicators.indicator
    left join {{ ref('int_indicator_norms') }} as own
        on counts.indicator = own.indicator and counts.stage_id = own.stage_id and counts.segment = own.segment
    left join {{ ref('int_indicator_norms') }} as overall
        on counts.indicator = overall.indicator and counts.stage_id = overall.stage_id and overall.segment = '(all)'
    where
        counts.landmark like 'age%'
        and coalesce(indicators.declared_norm, own.norm, overall.norm) is not null
),

landmarks as (
    select
        landmarks.deal_id,
        landmarks.crm,
        landmarks.landmark,
        landmarks.segment,
        landmarks.stage_id,
        landmarks.landmark_at,
        landmarks.outcome,
        weights.weight
    from {{ ref('int_indicator_landmarks') }} as landmarks
    cross join {{ ref('stg_as_of') }} as as_of
    inner join {{ ref('int_indicator_weights') }} as weights
        on landmarks.landmark = weights.landmark and landmarks.days_to_end = weights.days_to_end
    where
        landmarks.landmark like 'age%'
        and landmarks.outcome is not null
        and landmarks.landmark_at >= {{ dbt.dateadd('month', -1 * var('indicator_months'), 'as_of.as_of') }}
),

-- the steps that each CRM can tell of
told as (
    select distinct
        deals.crm,
        steps.step
    from {{ ref('int_indicator_steps_known') }} as steps
    inner join {{ ref('dim_deals') }} as deals on steps.deal_id = deals.deal_id
    where steps.phase <> 'onboarding'
),

steps_counts as (
    select
        landmarks.landmark,
        landmarks.segment,
        landmarks.stage_id,
        'step' as kind,
        told.step as thing,
        case when steps.done_known_at <= landmarks.landmark_at then 1 else 0 end as has_it,
        cast(null as double) as value,
        sum(case when landmarks.outcome = 'won' then 1 else 0 end) as won,
        sum(case when landmarks.outcome = 'lost' then 1 else 0 end) as lost,
        sum(case when landmarks.outcome = 'won' then landmarks.weight else 0 end) as won_weight,
        sum(case when landmarks.outcome = 'lost' then landmarks.weight else 0 end) as lost_weight,
        sum(case when landmarks.outcome = 'won' then landmarks.weight * landmarks.weight else 0 end) as won_weight_squared,
        sum(case when landmarks.outcome = 'lost' then landmarks.weight * landmarks.weight else 0 end) as lost_weight_squared
    from landmarks
    inner join told on landmarks.crm = told.crm
    left join {{ ref('int_indicator_steps_known') }} as steps
        on landmarks.deal_id = steps.deal_id and told.step = steps.step
    group by
        landmarks.landmark, landmarks.segment, landmarks.stage_id, told.step,
        case when steps.done_known_at <= landmarks.landmark_at then 1 else 0 end
),

counts as (
    select * from ledger_counts
    union all
    select * from steps_counts
),

strata as (
    select
        landmark,
        segment,
        stage_id,
        kind,
        thing,
        sum(won) as won,
        sum(lost) as lost,
        sum(won_weight * has_it) / nullif(sum(won_weight), 0) as won_share,
        sum(lost_weight * has_it) / nullif(sum(lost_weight), 0) as lost_share,
        sum(won_weight * value) / nullif(sum(won_weight), 0) as won_mean,
        sum(lost_weight * value) / nullif(sum(lost_weight), 0) as lost_mean,
        -- so many deals of equal weight would tell as much
        power(sum(won_weight), 2) / nullif(sum(won_weight_squared), 0) as won_n,
        power(sum(lost_weight), 2) / nullif(sum(lost_weight_squared), 0) as lost_n
    from counts
    group by landmark, segment, stage_id, kind, thing
),

weighed as (
    select
        *,
        won_n * lost_n / (won_n + lost_n) as weight,
        -- the variance of a share is that of one drawn toward a half by one case, so that 0 and 1 are not certain
        (won_share * won_n + 0.5) / (won_n + 1) * (1 - (won_share * won_n + 0.5) / (won_n + 1)) / won_n
        + (lost_share * lost_n + 0.5) / (lost_n + 1) * (1 - (lost_share * lost_n + 0.5) / (lost_n + 1)) / lost_n as variance
    from strata
    where won_n > 0 and lost_n > 0
),

sliced as (
    select * from weighed
    union all
    select
        landmark,
        '(all)' as segment,
        stage_id,
        kind,
        thing,
        won,
        lost,
        won_share,
        lost_share,
        won_mean,
        lost_mean,
        won_n,
        lost_n,
        weight,
        variance
    from weighed
),

summed as (
    select
        landmark,
        segment,
        kind,
        thing,
        sum(won) as won_n,
        sum(lost) as lost_n,
        {% for column in ['won_share', 'lost_share', 'won_mean', 'lost_mean'] %}
            sum(weight * {{ column }}) / sum(weight) as {{ column }},
        {% endfor %}
        sqrt(sum(weight * weight * variance)) / sum(weight) as error
    from sliced
    group by landmark, segment, kind, thing
),

contrasted as (
    select
        *,
        won_share - lost_share as difference,
        greatest(-1.0, won_share - lost_share - 1.645 * error) as difference_low,
        least(1.0, won_share - lost_share + 1.645 * error) as difference_high,
        -- 0 where the interval holds none
        greatest(0, abs(won_share - lost_share) - 1.645 * error) as least_difference
    from summed
    where greatest(won_share, lost_share) >= {{ hardly_any }} and least(won_share, lost_share) <= {{ nearly_all }}
)

select
    contrasted.segment || '|' || contrasted.landmark || '|' || contrasted.kind || '|' || contrasted.thing as contrast_id,
    contrasted.segment,
    contrasted.landmark,
    contrasted.kind,
    contrasted.thing,
    case
        when contrasted.least_difference > 0
            then
                row_number() over (
                    partition by contrasted.segment, contrasted.landmark, contrasted.least_difference > 0
                    order by round(contrasted.least_difference, 9) desc, contrasted.kind asc, contrasted.thing asc
                )
    end as contrast_rank,
    cast(contrasted.won_n as bigint) as won_n,
    cast(contrasted.lost_n as bigint) as lost_n,
    contrasted.won_share,
    contrasted.lost_share,
    contrasted.won_mean,
    contrasted.lost_mean,
    contrasted.difference,
    contrasted.difference_low,
    contrasted.difference_high,
    'By day ' || replace(contrasted.landmark, 'age_', '') || ', '
    || case contrasted.kind
        when 'step' then coalesce(labels.step_label, contrasted.thing) || ': done'
        else indicators.label || ': as good as its norm'
    end
    || ' in ' || {{ percent('contrasted.won_share') }} || ' of ' || cast(cast(contrasted.won_n as bigint) as {{ dbt.type_string() }}) || ' won deals and in '
    || {{ percent('contrasted.lost_share') }} || ' of ' || cast(cast(contrasted.lost_n as bigint) as {{ dbt.type_string() }}) || ' lost ones of the same stage'
    || case contrasted.segment when '(all)' then '' else ', ' || replace(contrasted.segment, '_', ' ') end
    || case when contrasted.least_difference = 0 then '; that may be chance' else '' end as sentence,
    cast((select as_of from {{ ref('stg_as_of') }}) as date) as as_of
from contrasted
left join {{ ref('int_journey_steps_labelled') }} as labels on contrasted.kind = 'step' and contrasted.thing = labels.step
left join {{ ref('dim_indicators') }} as indicators
    on contrasted.kind = 'indicator' and contrasted.thing = indicators.indicator
