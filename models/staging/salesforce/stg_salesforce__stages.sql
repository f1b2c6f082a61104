-- Salesforce has one list of stages for all record types: each pipeline that opportunities are in has them all.
with stages as (
    select * from {{ ref('base_salesforce__stages') }}
),

pipelines as (
    select distinct pipeline from {{ ref('base_salesforce__deals') }}
)

select
    -- ids
    'salesforce:' || pipelines.pipeline || ':' || stages.stage as stage_id,

    -- attributes
    'salesforce' as crm,
    pipelines.pipeline,
    stages.stage,
    cast(null as {{ dbt.type_string() }}) as phase,

    -- numbers
    cast(stages.position as integer) as position,
    cast(stages.probability as double) as crm_probability,

    -- booleans
    stages.is_won,
    stages.is_lost
from stages
cross join pipelines
