{{ config(materialized='table') }}

-- The e-detector of Shiryaev and Roberts, one for each stream and size of fault: the evidence for a fault that began on
-- some day up to now, summed over all such days,  sr(t) = sum over s <= t of exp(nats of s to t).  Under no fault it
-- grows by one a day at most, whatever streams have to do with each other: so their weighted mean stays below
-- 520 for two years of workdays, on average, and no threshold is fitted. As a window: sr = exp(c) * sum(exp(-c)).
-- A stream begins anew where the past cannot matter any more: after 20 nats against any fault, so that exp() never
-- overflows; and after an alarm, once 40 days speak against even the smallest fault: then it is over.
{% set sizes = [1, 2, 3] %}
{% set threshold = 260 * var('alarm_years') %}

with streams as (
    select
        stream_id,
        row_number() over (order by stream_id) as stream_number
    from {{ ref('int_chart_evidence') }}
    where weight > 0
    group by stream_id
),

days as (
    select
        streams.stream_number,
        evidence.workday,
        evidence.weight,
        evidence.nats_1,
        evidence.nats_2,
        evidence.nats_3
    from {{ ref('int_chart_evidence') }} as evidence
    inner join streams on evidence.stream_id = streams.stream_id
    where evidence.weight > 0
),

summed as (
    select
        *,
        {% for size in sizes %}
            sum(nats_{{ size }}) over so_far as c_{{ size }},
            sum(nats_{{ size }}) over so_far - nats_{{ size }} as before_{{ size }},
        {% endfor %}
        0 as epoch
    from days
    window so_far as (partition by stream_number order by workday rows between unbounded preceding and current row)
),

{% for round in [1, 2] %}
    lowest_{{ round }} as (
        select
            *,
            {% for size in sizes %}
                floor((min(before_{{ size }}) over so_far - first_value(before_{{ size }}) over so_far) / 20)
                    as level_{{ size }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ 'summed' if round == 1 else 'reset' }}
        window so_far as (
            partition by stream_number, epoch order by workday rows between unbounded preceding and current row
        )
    ),

    anchored_{{ round }} as (
        select
            *,
            {% for size in sizes %}
                first_value(before_{{ size }}) over (
                    partition by stream_number, epoch, level_{{ size }}
                    order by workday
                    rows between unbounded preceding and current row
                ) as anchor_{{ size }}{{ ',' if not loop.last }}
            {% endfor %}
        from lowest_{{ round }}
    ),

    detected_{{ round }} as (
        select
            *,
            {% for size in sizes %}
                c_{{ size }} - anchor_{{ size }} + ln(sum(exp(anchor_{{ size }} - before_{{ size }})) over (
                    partition by stream_number, epoch, level_{{ size }}
                    order by workday
                    rows between unbounded preceding and current row
                )) as ln_sr_{{ size }}{{ ',' if not loop.last }}
            {% endfor %}
        from anchored_{{ round }}
    ){{ ',' if round == 1 }}

    {% if round == 1 %}
        calmed as (
            select
                * exclude (level_1, level_2, level_3, anchor_1, anchor_2, anchor_3, ln_sr_1, ln_sr_2, ln_sr_3, epoch),
                greatest(ln_sr_1, ln_sr_2, ln_sr_3) as highest,
                c_1 - min(c_1) over (
                    partition by stream_number order by workday rows between 40 preceding and current row
                ) <= 0
                and c_1 - first_value(c_1) over (
                    partition by stream_number order by workday rows between 40 preceding and current row
                ) <= -2 as is_calm
            from detected_1
        ),

        reset as (
            select
                *,
                count(
                    case when is_calm and highest_before > ln({{ threshold }} / weight) then 1 end
                ) over (
                    partition by stream_number order by workday rows between unbounded preceding and 1 preceding
                ) as epoch
            from (
                select
                    *,
                    max(highest) over (
                        partition by stream_number order by workday rows between 260 preceding and 1 preceding
                    ) as highest_before
                from calmed
            ) as calmed
        ),
    {% endif %}
{% endfor %}

select
    streams.stream_id,
    detected_2.workday,
    detected_2.weight,
    detected_2.epoch,
    {% for size in sizes %}
        detected_2.c_{{ size }},
        detected_2.ln_sr_{{ size }},
    {% endfor %}
    -- its part of the sum; beyond any threshold, more is as good
    detected_2.weight / 3 * (
        exp(least(detected_2.ln_sr_1, 300)) + exp(least(detected_2.ln_sr_2, 300)) + exp(least(detected_2.ln_sr_3, 300))
    ) as evidence
from detected_2
inner join streams on detected_2.stream_number = streams.stream_number
