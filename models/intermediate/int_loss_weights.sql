{{ config(materialized='table') }}

-- By how much a thing that was late moved the odds to lose, in stays of the same stage and segment that had lasted as
-- long: the Mantel-Haenszel odds ratio over segments, and each segment's own drawn toward it. What is as usual in deals
-- that went on weighs nothing. Only stays that had ended; and a step without a name of its own is weighed where the
-- named ones were in time, or it would be blamed for what it delayed.
{% set prior_of_stage, prior_of_segment = 4, 16 %}
with counts as (
    select * from {{ ref('int_loss_counts') }}
    where exit_type in ('advanced', 'lost') and (cause <> 'step_missed' or not is_named_late)
),

delays as (
    {% for _ in var('loss_delays') %}
        select {{ loop.index }} as delay
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

tables as (
    select
        counts.stage_id,
        counts.segment,
        counts.cause,
        counts.thing,
        delays.delay,
        cast(sum(case when counts.delays_late >= delays.delay then counts.stays else 0 end) as double) as late_stays,
        cast(sum(case when counts.delays_late >= delays.delay and counts.exit_type = 'lost' then counts.stays else 0 end) as double) as late_lost,
        cast(sum(case when counts.delays_late = 0 then counts.stays else 0 end) as double) as in_time_stays,
        cast(sum(case when counts.delays_late = 0 and counts.exit_type = 'lost' then counts.stays else 0 end) as double) as in_time_lost
    from counts
    inner join delays on counts.delays_lasted >= delays.delay
    group by counts.stage_id, counts.segment, counts.cause, counts.thing, delays.delay
),

cells as (
    select
        *,
        late_lost as a,
        late_stays - late_lost as b,
        in_time_lost as c,
        in_time_stays - in_time_lost as d,
        late_stays + in_time_stays as n
    from tables
    where late_stays > 0 and in_time_stays > 0
),

-- of each stage, over its segments
products as (
    select
        stage_id,
        cause,
        thing,
        delay,
        sum(in_time_stays) as in_time_stays,
        sum(in_time_lost) as in_time_lost,
        nullif(sum(a * d / n), 0) as r,
        nullif(sum(b * c / n), 0) as s,
        sum((a + d) * a * d / (n * n)) as pr,
        sum((a + d) * b * c / (n * n) + (b + c) * a * d / (n * n)) as ps_qr,
        sum((b + c) * b * c / (n * n)) as qs
    from cells
    group by stage_id, cause, thing, delay
),

pooled as (
    select
        *,
        ln(r / s) as log_odds,
        -- Robins, Breslow and Greenland (1986)
        pr / (2 * r * r) + ps_qr / (2 * r * s) + qs / (2 * s * s) as variance
    from products
),

-- a stage's odds are drawn toward 1, as if it were known before that most things double the odds at most
stages as (
    select
        *,
        log_odds / variance / (1 / variance + {{ prior_of_stage }}) as weight,
        1 / (1 / variance + {{ prior_of_stage }}) as weight_variance
    from pooled
    where r is not null and s is not null
),

-- a half is added to each count: a segment in which nobody late was lost tells little, not everything
own as (
    select
        *,
        ln((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))) as log_odds,
        1 / (a + 0.5) + 1 / (b + 0.5) + 1 / (c + 0.5) + 1 / (d + 0.5) as variance
    from cells
),

weighed as (
    select
        stage_id,
        '(all)' as segment,
        cause,
        thing,
        delay,
        weight,
        sqrt(weight_variance) as weight_error,
        (in_time_lost + 0.5) / (in_time_stays + 1) as loss_in_time
    from stages
    union all
    select
        own.stage_id,
        own.segment,
        own.cause,
        own.thing,
        own.delay,
        (own.log_odds / own.variance + {{ prior_of_segment }} * stages.weight) / (1 / own.variance + {{ prior_of_segment }})
            as weight,
        sqrt(1 / (1 / own.variance + 1 / (1.0 / {{ prior_of_segment }} + stages.weight_variance))) as weight_error,
        (own.in_time_lost + 20 * (stages.in_time_lost + 0.5) / (stages.in_time_stays + 1)) / (own.in_time_stays + 20)
            as loss_in_time
    from own
    inner join stages on own.stage_id = stages.stage_id and own.thing = stages.thing and own.delay = stages.delay
)

-- share: of the losses of those who were late, the part that would not have been at the odds of those in time
select
    *,
    {{ share_avoidable('weight') }} as share,
    {{ share_avoidable('weight - 1.645 * weight_error') }} as share_low,
    {{ share_avoidable('weight + 1.645 * weight_error') }} as share_high
from weighed
