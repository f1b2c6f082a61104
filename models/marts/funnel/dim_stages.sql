-- Stages that deals were in but that no dictionary defines are kept, marked, without a position.
with visited as (
    select distinct stage_id from {{ ref('int_stage_changes_completed') }}
)

select
    coalesce(stages.stage_id, visited.stage_id) as stage_id,
    stages.crm,
    stages.pipeline,
    coalesce(stages.stage, visited.stage_id) as stage,
    stages.phase,
    stages.position,
    stages.crm_probability,
    coalesce(stages.is_won, false) as is_won,
    coalesce(stages.is_lost, false) as is_lost,
    coalesce(stages.is_defined, false) as is_defined
from {{ ref('int_stages_completed') }} as stages
full outer join visited on stages.stage_id = visited.stage_id
