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

cells as (
    select
        row_number() over (order by indicator, landmark, stage_id, segment) as cell_number,
        *
    from (
        select distinct
            indicator,
            landmark,
            case when landmark like 'stage%' then stage_id end as stage_id,
            cell_segment as segment
        from counts
    ) as distinct_cells
),

strata as (
    select
        row_number() over (order by segment, stage_id, age_band) as stratum_number,
        *
    from (
        select distinct
            segment,
            stage_id,
            age_band
        from counts
    ) as distinct_strata
)

-- small whole numbers, because the fits join by them again and again
select
    cast(cells.cell_number as integer) as cell_number,
    cast(strata.stratum_number as integer) as stratum_number,
    cells.indicator,
    cells.landmark,
    cells.stage_id,
    cells.segment,
    counts.quarter_start_date,
    counts.value,
    counts.deals,
    counts.won,
    counts.lost,
    counts.won_weight,
    counts.lost_weight,
    counts.won_weight_squared,
    counts.lost_weight_squared
from counts
inner join cells
    on
        counts.indicator = cells.indicator
        and counts.landmark = cells.landmark
        and counts.cell_segment = cells.segment
        and case when counts.landmark like 'stage%' then counts.stage_id else '' end = coalesce(cells.stage_id, '')
inner join strata
    on
        counts.segment = strata.segment
        and counts.stage_id = strata.stage_id
        and counts.age_band = strata.age_band
