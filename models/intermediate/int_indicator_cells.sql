{{ config(materialized='table') }}

-- The counts by cell and stratum: each row counts for its segment and for all segments together.
with counts as (
    select
        *,
        segment as cell_segment
    from {{ ref('int_indicator_counts') }}
    union all
    select
        *,
        '(all)' as cell_segment
    from {{ ref('int_indicator_counts') }}
),

named as (
    select
        *,
        indicator || '|' || landmark
        || case when landmark like 'stage%' then ':' || stage_id else '' end || '|' || cell_segment as cell_id,
        segment || '|' || stage_id || '|' || age_band as stratum
    from counts
)

-- small whole numbers, because the fits join by them again and again
select
    dense_rank() over (order by cell_id) as cell_number,
    dense_rank() over (order by stratum) as stratum_number,
    cell_id,
    indicator,
    landmark,
    case when landmark like 'stage%' then stage_id end as stage_id,
    cell_segment as segment,
    quarter_start_date,
    value,
    deals,
    won,
    lost,
    won_weight,
    lost_weight,
    won_weight_squared,
    lost_weight_squared
from named
