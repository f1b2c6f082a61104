select
    -- ids
    'hubspot:' || pipeline_id || ':' || stage_id as stage_id,

    -- attributes
    'hubspot' as crm,
    pipeline,
    stage,
    cast(null as {{ dbt.type_string() }}) as phase,

    -- numbers
    cast(position as integer) as position,
    probability as crm_probability,

    -- booleans
    is_won,
    is_lost
from {{ ref('base_hubspot__stages') }}
