-- The moves of deals without any log are those that the extracts of two nights lie around: their times are bounds. A
-- deal is in a stage since it was first seen there, never since its creation: that would carry today's stage into the
-- past. Only the end of a deal has a time of its own; it holds if it is between the two nights.
with seen as (
    select
        deal_number,
        stage_number,
        first_seen_at,
        -- where only the stage is new, and the status is not, it is not the end that is dated
        case when first_seen_at = status_first_seen_at then closed_at end as closed_at,
        _load_id,
        lag(stage_number) over nights as previous_stage_number,
        lag(first_seen_at) over nights as previous_seen_at
    from {{ ref('int_deals_seen') }} as deals
    where
        not exists (
            select 1 from {{ ref('int_stage_changes_ordered') }} as log_rows
            where deals.deal_number = log_rows.deal_number
        )
    window nights as (partition by deal_number, _load_id order by first_seen_at)
)

select
    deal_number,
    stage_number,
    previous_stage_number,
    row_number() over (partition by deal_number, _load_id order by first_seen_at) as log_number,
    coalesce(closed_at between coalesce(previous_seen_at, closed_at) and first_seen_at, false) as is_exact,
    greatest(least(closed_at, first_seen_at), previous_seen_at) as changed_at,
    _load_id
from seen
