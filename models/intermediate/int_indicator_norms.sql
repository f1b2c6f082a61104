{{ config(materialized='table') }}

-- What is just good, learnt from won deals: in the same segment and stage, four in five of them had no worse a value
-- at their landmarks. A segment with few wins reads like all segments together.
with counts as (
    select
        indicator,
        stage_id,
        segment,
        value,
        won
    from {{ ref('int_indicator_counts') }}
    where won > 0
    union all
    select
        indicator,
        stage_id,
        '(all)' as segment,
        value,
        won
    from {{ ref('int_indicator_counts') }}
    where won > 0
),

shares as (
    select
        counts.indicator,
        counts.stage_id,
        counts.segment,
        indicators.direction,
        counts.value,
        sum(sum(counts.won)) over (partition by counts.indicator, counts.stage_id, counts.segment) as won_landmarks,
        sum(sum(counts.won)) over (
            partition by counts.indicator, counts.stage_id, counts.segment
            order by case when indicators.direction = 'lower' then counts.value else -counts.value end
        ) as as_good
    from counts
    inner join {{ ref('dim_indicators') }} as indicators on counts.indicator = indicators.indicator
    group by counts.indicator, counts.stage_id, counts.segment, indicators.direction, counts.value
)

select
    indicator,
    stage_id,
    segment,
    cast(max(won_landmarks) as bigint) as won_landmarks,
    case
        when max(direction) = 'lower' then min(case when as_good >= 0.8 * won_landmarks then value end)
        else max(case when as_good >= 0.8 * won_landmarks then value end)
    end as norm
from shares
group by indicator, stage_id, segment
having max(won_landmarks) >= {{ var('norm_min_cases') }}
