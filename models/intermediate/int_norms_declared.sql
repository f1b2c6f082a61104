-- What a person has written down goes before what was learnt: a stage's limit in declared_norms, a step's deadline in
-- the journey map (those in business days: hours and calendar days are other units).
with stages as (
    select
        declared.segment,
        'stage' as subject,
        stages.stage_id as subject_id,
        declared.valid_from,
        declared.valid_to,
        declared.business_days
    from {{ ref('declared_norms') }} as declared
    inner join {{ ref('dim_stages') }} as stages
        on declared.pipeline = stages.pipeline and declared.stage = stages.stage
),

steps as (
    select
        segment,
        'step' as subject,
        step as subject_id,
        valid_from,
        valid_to,
        deadline_amount as business_days
    from {{ ref('journey_map') }}
    where deadline_unit = 'business_days' and trigger <> 'never'
),

declared as (
    select * from stages
    union all
    select * from steps
)

select
    segment,
    subject,
    subject_id,
    valid_from,
    coalesce(valid_to, cast('9999-12-31' as date)) as valid_to,
    cast(business_days as double) as business_days
from declared
