{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number') }}

-- The log in order: by time, then by when it was recorded. Days and automations put several moves into one moment;
-- those come in the order of a walk through the pipeline, forward and then back. Where that walk has a gap, a move
-- that does not begin where the one before ended, the moment is marked, and int_stage_changes_chained looks for a
-- better order.
with logged as (
    select
        deal_number,
        stage_number,
        from_stage_number,
        changed_at,
        changed_by_id,
        row_number() over log_of_deal as log_number,
        lag(stage_number) over log_of_deal as previous_stage_number,
        lag(from_stage_number) over log_of_deal as previous_from_stage_number,
        lag(stage_number, 2) over log_of_deal as stage_number_before_that,
        coalesce(
            changed_at = lag(changed_at) over log_of_deal and recorded_at = lag(recorded_at) over log_of_deal, false
        ) as is_of_same_moment
    from {{ ref('int_stage_changes_resolved') }}
    where {{ is_touched('deal_number') }}
    window log_of_deal as (partition by deal_number order by changed_at, recorded_at, walk_order)
)

select
    deal_number,
    stage_number,
    from_stage_number,
    -- the log says of its first move too where the deal was before
    coalesce(previous_stage_number, from_stage_number) as previous_stage_number,
    changed_by_id,
    log_number,
    is_of_same_moment,
    is_of_same_moment and (
        from_stage_number is distinct from previous_stage_number
        or previous_from_stage_number is distinct from stage_number_before_that
    ) as is_gap_in_moment,
    changed_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from logged
