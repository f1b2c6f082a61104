-- Stages that deals were in but that no dictionary defines are kept, marked, without a position.
select
    stage_id,
    crm,
    pipeline,
    stage,
    phase,
    position,
    crm_probability,
    is_won,
    is_lost,
    is_defined
from {{ ref('int_stages_completed') }}
