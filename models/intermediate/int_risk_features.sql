{{ config(materialized='table') }}

-- What carries a weight: a bin of a part, over all stages and once more in each, since what is usual in one stage is
-- alarming in another; and what the cells cannot tell any more once the parts have had their say, segment and age.
-- The model of tested_on may use an indicator only if the ledger would have trusted it by then.
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
    numbered.feature_number,
    -- the same bin over all stages
    case
        when numbered.stage_id is not null
            then
                max(case when numbered.stage_id is null then numbered.feature_number end)
                    over (partition by numbered.part, numbered.bin)
    end as wide_number,
    numbered.part,
    numbered.bin,
    numbered.stage_id,
    numbered.segment,
    case when ledger.verdict_since > tested.tested_on then 0 else 1 end as is_trusted_then
from numbered
cross join (select max(tested_on) as tested_on from {{ ref('int_risk_snapshots') }}) as tested
left join {{ ref('indicator_ledger') }} as ledger
    on numbered.part = ledger.indicator and ledger.landmark = '(all)' and ledger.segment = '(all)'
