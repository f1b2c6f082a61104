-- What a deal's log says as a whole, for what it leaves out: where the deal was first and last, and whether it was won.
-- Of a deal without a log, the same of what was observed. _load_id: as in int_stage_visits_built.
with stages as (
    select
        stages.is_won,
        numbers.stage_number
    from {{ ref('int_stages_completed') }} as stages
    inner join {{ ref('int_stages_numbered') }} as numbers on stages.stage_id = numbers.stage_id
),

log_rows as (
    select
        deal_number,
        stage_number,
        previous_stage_number,
        log_number,
        changed_at,
        _load_id
    from {{ ref('int_stage_changes_logged') }}
    union all
    select
        deal_number,
        stage_number,
        previous_stage_number,
        log_number,
        changed_at,
        _load_id
    from {{ ref('int_stage_changes_observed') }}
),

summed as (
    select
        log_rows.deal_number,
        log_rows._load_id,
        min(log_rows.changed_at) as first_changed_at,
        max(
            case when log_rows.stage_number is distinct from log_rows.previous_stage_number then log_rows.changed_at end
        ) as last_moved_at,
        max(case when log_rows.log_number = 1 then log_rows.previous_stage_number end) as first_stage_number,
        max_by(log_rows.stage_number, log_rows.log_number) as last_stage_number,
        max(log_rows.log_number) as last_log_number,
        max(case when stages.is_won then log_rows.changed_at end) as won_at,
        max_by(log_rows.stage_number, case when stages.is_won then log_rows.log_number end) as won_stage_number
    from log_rows
    inner join stages on log_rows.stage_number = stages.stage_number
    group by log_rows.deal_number, log_rows._load_id
)

select
    summed.deal_number,
    summed.first_changed_at,
    summed.last_moved_at,
    summed.first_stage_number,
    summed.last_stage_number,
    summed.last_log_number,
    summed.won_at,
    -- a log that begins after the win still says where the deal came from
    coalesce(
        summed.won_stage_number, case when first_stages.is_won then summed.first_stage_number end
    ) as won_stage_number,
    summed._load_id
from summed
left join stages as first_stages on summed.first_stage_number = first_stages.stage_number
