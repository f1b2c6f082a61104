-- What a person has written down goes before what was learnt: a stage's limit in declared_norms, a step's deadline in
-- the journey map. A line of a segment's own goes before one for all; one for all segments is shown as theirs, too.
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
)

select
    segment,
    subject,
    subject_id,
    valid_from,
    coalesce(valid_to, cast('9999-12-31' as date)) as valid_to,
    cast(business_days as double) as business_days
from stages
