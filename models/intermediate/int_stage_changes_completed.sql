-- Every move of a deal, logged, observed or implied. The CRM also logs a change when a rep re-saves the same stage, and
-- extracts see a deal again where it was: those are no moves.
select
    deal_number,
    stage_number,
    changed_by_id,
    log_number,
    true as is_exact,
    changed_at,
    _load_id
from {{ ref('int_stage_changes_logged') }}
where stage_number is distinct from previous_stage_number
union all
select
    deal_number,
    stage_number,
    cast(null as {{ dbt.type_string() }}) as changed_by_id,
    log_number,
    is_exact,
    changed_at,
    _load_id
from {{ ref('int_stage_changes_observed') }}
where stage_number is distinct from previous_stage_number
union all
select
    deal_number,
    stage_number,
    cast(null as {{ dbt.type_string() }}) as changed_by_id,
    log_number,
    is_exact,
    changed_at,
    _load_id
from {{ ref('int_stage_changes_implied') }}
