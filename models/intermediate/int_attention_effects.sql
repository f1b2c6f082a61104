{{ config(materialized='table') }}

-- What became of deals that had a step from here on, and of those that had not: of the deals as late as this one (so many
-- delays had passed), those in which it was done before the next delay are held against those in which it was not, all
-- still in the same stage by then, or in it later, and their client heard after that. Survivors are not compared with the
-- dead: whoever had lost by then is in neither group. Past the last delay there is nothing to compare. Of settled stays only:
-- of younger ones only the quick have ended. The difference of a segment is drawn toward that of the stage, and the
-- stage's toward none.
{% set prior_of_stage, prior_of_segment = 0.1 * 0.1, 0.05 * 0.05 %}
with delays as (
    {% for days in var('loss_delays') %}
        select
            {{ loop.index0 }} as delays_passed,
            {{ days }} as acted_within_days
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

cells as (
    select
        counts.stage_id,
        counts.segment,
        counts.thing,
        delays.delays_passed,
        delays.acted_within_days,
        cast(sum(case when counts.delays_late = delays.delays_passed then counts.stays else 0 end) as double) as acted_n,
        cast(sum(
            case when counts.delays_late = delays.delays_passed and counts.is_won then counts.stays else 0 end
        ) as double) as acted_won,
        cast(sum(case when counts.delays_late > delays.delays_passed then counts.stays else 0 end) as double) as not_acted_n,
        cast(sum(
            case when counts.delays_late > delays.delays_passed and counts.is_won then counts.stays else 0 end
        ) as double) as not_acted_won
    from {{ ref('int_loss_counts') }} as counts
    inner join delays
        on
            counts.delays_lasted > delays.delays_passed
            and counts.delays_heard > delays.delays_passed
            and counts.delays_late >= delays.delays_passed
    where counts.is_settled and counts.is_won is not null
    group by counts.stage_id, counts.segment, counts.thing, delays.delays_passed, delays.acted_within_days
),

own as (
    select
        *,
        acted_won / acted_n - not_acted_won / not_acted_n as difference,
        -- shares drawn toward a half by one deal, so that none and all are not certain
        (acted_won + 0.5) / (acted_n + 1) * (1 - (acted_won + 0.5) / (acted_n + 1)) / acted_n
        + (not_acted_won + 0.5) / (not_acted_n + 1) * (1 - (not_acted_won + 0.5) / (not_acted_n + 1)) / not_acted_n
            as variance,
        acted_n * not_acted_n / (acted_n + not_acted_n) as weight
    from cells
    where acted_n > 0 and not_acted_n > 0
),

pooled as (
    select
        stage_id,
        thing,
        delays_passed,
        acted_within_days,
        sum(acted_n) as acted_n,
        sum(weight * acted_won / acted_n) / sum(weight) as acted_rate,
        sum(not_acted_n) as not_acted_n,
        sum(weight * not_acted_won / not_acted_n) / sum(weight) as not_acted_rate,
        sum(weight * difference) / sum(weight) as difference,
        sum(weight * weight * variance) / power(sum(weight), 2) as variance
    from own
    group by stage_id, thing, delays_passed, acted_within_days
),

stages as (
    select
        *,
        difference / variance / (1 / variance + 1 / {{ prior_of_stage }}) as effect,
        1 / (1 / variance + 1 / {{ prior_of_stage }}) as effect_variance
    from pooled
)

select
    stage_id,
    '(all)' as segment,
    thing,
    delays_passed,
    acted_within_days,
    cast(acted_n as bigint) as acted_n,
    acted_rate,
    cast(not_acted_n as bigint) as not_acted_n,
    not_acted_rate,
    effect,
    sqrt(effect_variance) as effect_error
from stages
union all
select
    own.stage_id,
    own.segment,
    own.thing,
    own.delays_passed,
    own.acted_within_days,
    cast(own.acted_n as bigint) as acted_n,
    own.acted_won / own.acted_n as acted_rate,
    cast(own.not_acted_n as bigint) as not_acted_n,
    own.not_acted_won / own.not_acted_n as not_acted_rate,
    (own.difference / own.variance + stages.effect / {{ prior_of_segment }}) / (1 / own.variance + 1 / {{ prior_of_segment }})
        as effect,
    sqrt(1 / (1 / own.variance + 1 / ({{ prior_of_segment }} + stages.effect_variance))) as effect_error
from own
inner join stages
    on own.stage_id = stages.stage_id and own.thing = stages.thing and own.delays_passed = stages.delays_passed
