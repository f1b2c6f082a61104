{{ config(materialized='incremental', incremental_strategy='by_deal') }}

select
    deal_id || '#' || cast(visit_number as {{ dbt.type_string() }}) as stage_visit_id,
    deal_id,
    stage_id,
    next_stage_id,
    entered_by_id,
    cast(visit_number as integer) as visit_number,
    cast(stage_visit_number as integer) as stage_visit_number,
    exit_type,
    -- a stay that has not ended has no duration yet: it is censored, not short
    cast({{ dbt.datediff('entered_at', 'exited_at', 'day') }} as integer) as days_in_stage,
    stage_visit_number > 1 as is_reentry,
    is_entered_at_exact,
    entered_at,
    exited_at,
    _load_id
from {{ ref('int_stage_visits_built') }}
where {{ is_newly_built() }}
