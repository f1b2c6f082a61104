-- The log in order, deals put in order move by move among the rest.
select
    deal_number,
    stage_number,
    previous_stage_number,
    changed_by_id,
    log_number,
    changed_at,
    _load_id
from {{ ref('int_stage_changes_ordered') }}
where deal_number not in (select deal_number from {{ ref('int_stage_changes_chained') }})
union all
select
    deal_number,
    stage_number,
    previous_stage_number,
    changed_by_id,
    log_number,
    changed_at,
    _load_id
from {{ ref('int_stage_changes_chained') }}
