{{ config(materialized='table') }}
{%- do indicator_refs() %}

-- What was to be seen of each snapshot: its age, its time in the stage, and the indicators that the ledger trusts, as
-- known on that day. What is not known has no row, and then says nothing.
-- Grain: one row per snapshot and part of the score.
with moments as (
    select
        snapshots.*,
        numbers.deal_number,
        stages.stage
    from {{ ref('int_risk_snapshots') }} as snapshots
    inner join {{ ref('int_deals_numbered') }} as numbers on snapshots.deal_id = numbers.deal_id
    inner join {{ ref('int_stages_completed') }} as stages on snapshots.stage_id = stages.stage_id
),

trusted as (
    select indicator from {{ ref('indicator_ledger') }}
    where landmark = '(all)' and segment = '(all)' and verdict = 'predicts'
),

sampled as (
    {{ sampled_indicators('moments', 'snapshot_at', ['snapshot_number', 'stage_id']) }}
)

select
    snapshot_number,
    stage_id,
    indicator as part,
    value
from sampled
where value is not null and indicator in (select indicator from trusted)
union all
select
    snapshot_number,
    stage_id,
    'age_days' as part,
    age_days as value
from moments
union all
select
    snapshot_number,
    stage_id,
    'days_in_stage' as part,
    days_in_stage as value
from moments
