{{ config(materialized='table') }}

-- What became of deals that had a step in time, and of those that had not: both still in the same stage when it was due,
-- or when they entered it later. Survivors are not compared with the dead: whoever had lost by the deadline is in
-- neither group. Of steps that were not due in the last three months: of those deals only the quick ones have ended. The
-- difference of a segment is drawn toward that of the stage, and the stage's toward none.
{% set prior_of_stage, prior_of_segment = 0.1 * 0.1, 0.05 * 0.05 %}
with cases as (
    select
        stage_id,
        segment,
        thing,
        case when delays_late = 0 then 1 else 0 end as is_in_time,
        sum(stays) as deals,
        sum(case when is_won then stays else 0 end) as won
    from {{ ref('int_loss_counts') }}
    where is_settled and is_won is not null
    group by stage_id, segment, thing, case when delays_late = 0 then 1 else 0 end
),

cells as (
    select
        stage_id,
        segment,
        thing,
        cast(sum(case when is_in_time = 1 then deals else 0 end) as double) as in_time_n,
        cast(sum(case when is_in_time = 1 then won else 0 end) as double) as in_time_won,
        cast(sum(case when is_in_time = 0 then deals else 0 end) as double) as late_n,
        cast(sum(case when is_in_time = 0 then won else 0 end) as double) as late_won
    from cases
    group by stage_id, segment, thing
),

own as (
    select
        *,
        in_time_won / in_time_n - late_won / late_n as difference,
        -- shares drawn toward a half by one deal, so that none and all are not certain
        (in_time_won + 0.5) / (in_time_n + 1) * (1 - (in_time_won + 0.5) / (in_time_n + 1)) / in_time_n
        + (late_won + 0.5) / (late_n + 1) * (1 - (late_won + 0.5) / (late_n + 1)) / late_n as variance,
        in_time_n * late_n / (in_time_n + late_n) as weight
    from cells
    where in_time_n > 0 and late_n > 0
),

pooled as (
    select
        stage_id,
        thing,
        sum(in_time_n) as in_time_n,
        sum(weight * in_time_won / in_time_n) / sum(weight) as in_time_rate,
        sum(late_n) as late_n,
        sum(weight * late_won / late_n) / sum(weight) as late_rate,
        sum(weight * difference) / sum(weight) as difference,
        sum(weight * weight * variance) / power(sum(weight), 2) as variance
    from own
    group by stage_id, thing
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
    cast(in_time_n as bigint) as in_time_n,
    in_time_rate,
    cast(late_n as bigint) as late_n,
    late_rate,
    effect,
    sqrt(effect_variance) as effect_error
from stages
union all
select
    own.stage_id,
    own.segment,
    own.thing,
    cast(own.in_time_n as bigint) as in_time_n,
    own.in_time_won / own.in_time_n as in_time_rate,
    cast(own.late_n as bigint) as late_n,
    own.late_won / own.late_n as late_rate,
    (own.difference / own.variance + stages.effect / {{ prior_of_segment }}) / (1 / own.variance + 1 / {{ prior_of_segment }})
        as effect,
    sqrt(1 / (1 / own.variance + 1 / ({{ prior_of_segment }} + stages.effect_variance))) as effect_error
from own
inner join stages on own.stage_id = stages.stage_id and own.thing = stages.thing
