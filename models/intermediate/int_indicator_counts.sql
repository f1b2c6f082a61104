{{ config(materialized='table') }}

-- Deals at each landmark, counted by the indicator's value: all statistics of the ledger are sums over these counts,
-- exact, ties and all. A cell is what one row of the ledger speaks of: an indicator at a landmark, for a segment or for
-- all; a stage's landmark is a cell for each stage. Deals are compared within a stratum: the same segment, stage and age.
with landmarks as (
    select
        landmarks.indicator,
        landmarks.landmark,
        landmarks.stage_id,
        landmarks.segment,
        landmarks.age_band,
        landmarks.outcome,
        weights.weight,
        landmarks.value,
        cast({{ dbt.date_trunc('quarter', 'landmarks.landmark_at') }} as date) as quarter_start_date
    from {{ ref('indicator_landmarks') }} as landmarks
    left join {{ ref('int_indicator_weights') }} as weights
        on landmarks.landmark = weights.landmark and landmarks.days_to_end = weights.days_to_end
    where
        landmarks.landmark_at
        >= {{ dbt.dateadd('month', -1 * var('indicator_months'), '(select as_of from ' ~ ref('stg_as_of') ~ ')') }}
)

select
    indicator,
    landmark,
    stage_id,
    segment,
    age_band,
    quarter_start_date,
    value,
    count(*) as deals,
    sum(case when outcome = 'won' then 1 else 0 end) as won,
    sum(case when outcome = 'lost' then 1 else 0 end) as lost,
    sum(case when outcome = 'won' then weight else 0 end) as won_weight,
    sum(case when outcome = 'lost' then weight else 0 end) as lost_weight,
    sum(case when outcome = 'won' then weight * weight else 0 end) as won_weight_squared,
    sum(case when outcome = 'lost' then weight * weight else 0 end) as lost_weight_squared
from landmarks
group by indicator, landmark, stage_id, segment, age_band, quarter_start_date, value
