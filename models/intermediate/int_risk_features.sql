{{ config(materialized='table') }}

-- What carries a weight: a bin of a part, over all stages and once more in each, since what is usual in one stage is
-- alarming in another; and what the cells cannot tell any more once the parts have had their say, segment and age.
-- Grain: one row per feature.
with features as (
    select
        part,
        bin,
        cast(null as {{ dbt.type_string() }}) as stage_id,
        cast(null as {{ dbt.type_string() }}) as segment
    from {{ ref('int_risk_bins') }}
    where part <> 'age_days'
    union all
    select
        bins.part,
        bins.bin,
        stages.stage_id,
        null as segment
    from {{ ref('int_risk_bins') }} as bins
    cross join (select distinct stage_id from {{ ref('int_risk_snapshots') }}) as stages
    union all
    select
        'segment' as part,
        null as bin,
        null as stage_id,
        segment
    from (select distinct segment from {{ ref('int_risk_snapshots') }}) as segments
),

numbered as (
    select
        *,
        cast(row_number() over (order by part, bin, stage_id, segment) as integer) as feature_number
    from features
)

select
    feature_number,
    -- the same bin over all stages
    case
        when stage_id is not null
            then max(case when stage_id is null then feature_number end) over (partition by part, bin)
    end as wide_number,
    part,
    bin,
    stage_id,
    segment
from numbered
