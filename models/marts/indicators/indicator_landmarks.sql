-- Each indicator at each landmark, with the outcome of the deal: what the ledger is made of. A night adds the landmarks
-- that deals came to since the last one.
{{ config(post_hook='delete from {{ this }} where _ledger_bucket > {{ ledger_buckets() }}') }}
{%- do indicator_refs() %}
{% set newest = '(select max(landmark_at) from ' ~ this ~ ')' if is_incremental() else 'landmark_at' %}
with landmarks as (
    select
        landmarks.*,
        stages.stage
    from {{ ref('int_indicator_landmarks') }} as landmarks
    inner join {{ ref('int_stages_completed') }} as stages on landmarks.stage_id = stages.stage_id
    where landmarks.landmark_at <= (select as_of from {{ ref('stg_as_of') }})
),

arrived as (
    select deal_id from landmarks
    where landmark_at > {{ newest }}
),

moments as (
    select * from landmarks
    where {{ is_newly_built() }} or deal_id in (select deal_id from arrived)
),

sampled as (
    {{ sampled_indicators(
        'moments',
        'landmark_at',
        ['deal_id', 'ledger_bucket', 'landmark', 'stage_id', 'segment', 'owner_id', 'age_band', 'outcome', 'days_to_end', 'landmark_at']
    ) }}
)

select
    deal_id,
    indicator,
    landmark,
    stage_id,
    segment,
    owner_id,
    age_band,
    outcome,
    days_to_end,
    value,
    landmark_at,
    ledger_bucket as _ledger_bucket,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from sampled
where value is not null
