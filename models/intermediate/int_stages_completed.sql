{{ config(materialized='table') }}

-- The dictionary of stages: what the CRM defines, what a pipeline needs besides, and what deals were in all the same.
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
    true as is_defined
from {{ ref('crm_stages') }}
union all
select
    stage_id,
    crm,
    pipeline,
    stage,
    phase,
    position,
    case when is_lost then 0.0 else 1.0 end as crm_probability,
    is_won,
    is_lost,
    false as is_defined
from {{ ref('int_stages_added') }}
union all
select
    stage_id,
    crm,
    pipeline,
    stage,
    cast(null as {{ dbt.type_string() }}) as phase,
    cast(null as integer) as position,
    cast(null as double) as crm_probability,
    false as is_won,
    false as is_lost,
    false as is_defined
from {{ ref('int_stages_undefined') }}
