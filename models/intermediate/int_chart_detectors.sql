{{ config(materialized='table') }}

-- The e-detector of Shiryaev and Roberts, one for each stream and size of fault: the evidence for a fault that began on
-- some day up to now, summed over all such days,  sr(t) = sum over s <= t of exp(nats of s to t).  Under no fault it
-- grows by one a day at most, whatever streams have to do with each other: so their weighted mean stays below
-- 520 for two years of workdays, on average, and no threshold is fitted. As a window: sr = exp(c) * sum(exp(-c)).
-- A stream begins anew where its past cannot matter any more: after 20 nats against any fault, so that exp() never
-- overflows; and after an alarm, once its days speak against even the smallest fault: then it is over.
-- Leads are charted by the weeks in which they came in: each stands for its five days, once it is over.
{% set sizes = [1, 2, 3] %}

with streams as (
    select
        stream_id,
        row_number() over (order by stream_id) as stream_number
    from {{ ref('int_chart_evidence') }}
    where weight > 0 and signal <> 'lead_quality'
    group by stream_id
),

summed as (
    select
        streams.stream_number,
        evidence.workday,
        evidence.weight,
        {% for size in sizes %}
            sum(evidence.nats_{{ size }}) over so_far as c_{{ size }},
            sum(evidence.nats_{{ size }}) over so_far - evidence.nats_{{ size }} as before_{{ size }},
        {% endfor %}
        0 as epoch
    from {{ ref('int_chart_evidence') }} as evidence
    inner join streams on evidence.stream_id = streams.stream_id
    where evidence.weight > 0
    window so_far as (
        partition by streams.stream_number order by evidence.workday rows between unbounded preceding and current row
    )
),

{% for round in [1, 2] %}
    {% set columns %}
        stream_number, workday, weight, epoch, c_1, c_2, c_3, before_1, before_2, before_3
    {%- endset %}
    levelled_{{ round }} as (
        select
            {{ columns }},
        {% for size in sizes %}
            floor((min(before_{{ size }}) over so_far - first_value(before_{{ size }}) over so_far) / 20)
                as level_{{ size }}{{ ',' if not loop.last }}
        
        {% endfor %}
        from {{ 'summed' if round == 1 else 'renewed' }}
        window so_far as (
            partition by stream_number, epoch order by workday rows between unbounded preceding and current row
        )
    ),

    anchored_{{ round }} as (
        select
            {{ columns }},
        {% for size in sizes %}
            level_{{ size }},
            first_value(before_{{ size }}) over (
                partition by stream_number, epoch, level_{{ size }} order by workday
                rows between unbounded preceding and current row
                ) as anchor_{{ size }}{{ ',' if not loop.last }}
        
        {% endfor %}
        from levelled_{{ round }}
    ),

    detected_{{ round }} as (
        select
            {{ columns }},
        {% for size in sizes %}
            c_{{ size }} - anchor_{{ size }} + ln(sum(exp(anchor_{{ size }} - before_{{ size }})) over (
                partition by stream_number, epoch, level_{{ size }} order by workday
                rows between unbounded preceding and current row
                )) as ln_sr_{{ size }}{{ ',' if not loop.last }}
        
        {% endfor %}
        from anchored_{{ round }}
    ),

    {% if round == 1 %}
        calmed as (
            select
                {{ columns }},
                max(greatest(ln_sr_1, ln_sr_2, ln_sr_3)) over (
                    partition by stream_number order by workday rows between 260 preceding and 1 preceding
                ) > ln({{ chart_threshold() }} / weight) as was_alarmed,
                c_1 <= min(c_1)
                    over (
                        partition by stream_number order by workday rows between 40 preceding and 1 preceding
                    )
                and c_1 <= max(c_1) over (
                    partition by stream_number order by workday rows between 120 preceding and current row
                ) - 3 as is_calm
            from detected_1
        ),

        renewed as (
            select
                stream_number,
                workday,
                weight,
                c_1,
                c_2,
                c_3,
                before_1,
                before_2,
                before_3,
                count(case when was_alarmed and is_calm then 1 end) over (
                    partition by stream_number order by workday rows between unbounded preceding and 1 preceding
                ) as epoch
            from calmed
        ),
    {% endif %}
{% endfor %}

told as (
    select
        streams.stream_id,
        detected.workday,
        detected.weight,
        detected.epoch,
        {% for size in sizes %}
            detected.before_{{ size }},
            detected.ln_sr_{{ size }}{{ ',' if not loop.last }}
        {% endfor %}
    from detected_2 as detected
    inner join streams on detected.stream_number = streams.stream_number
    union all
    select
        stream_id,
        workday,
        min(weight) as weight,
        0 as epoch,
        {% for size in sizes %}
            cast(null as double) as before_{{ size }},
            ln(5 * sum(exp(least(nats_{{ size }}, 300)))) as ln_sr_{{ size }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('int_chart_intakes') }}
    where workday >= started_workday + 4
    group by stream_id, workday
),

evident as (
    select
        *,
        -- beyond any threshold, more is as good
        {% for size in sizes %}
            exp(least(ln_sr_{{ size }}, 300)) {{ '+' if not loop.last }}
        {% endfor %} as sr
    from told
)

select
    stream_id,
    workday,
    weight,
    epoch,
    {% for size in sizes %}
        before_{{ size }},
        ln_sr_{{ size }},
    {% endfor %}
    -- its part of the sum
    weight * sr / 3 as evidence
from evident
