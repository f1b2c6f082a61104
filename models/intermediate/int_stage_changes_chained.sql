{{ config(materialized='incremental', incremental_strategy='by_deal', by='deal_number', sparse=true) }}

-- Deals whose moves of one moment have a gap, put in order move by move: each begins where the one before ended. Of
-- several such orders it is the first in the walk through the pipeline; where there is none, or more than twelve moves
-- share a moment, it is the walk. Moves that lead in a circle leave the deal where it was.
with recursive log_rows as (
    select
        *,
        sum(case when is_of_same_moment then 0 else 1 end) over (
            partition by deal_number order by log_number rows between unbounded preceding and current row
        ) as moment_number
    from {{ ref('int_stage_changes_ordered') }}
    where
        {{ is_newly_built() }}
        and deal_number in (
            select deal_number from {{ ref('int_stage_changes_ordered') }}
            where is_gap_in_moment and {{ is_newly_built() }}
        )
),

-- a move that is logged twice in a moment is one; its letter tells its place in the walk
moves as (
    select
        deal_number,
        moment_number,
        from_stage_number,
        stage_number,
        chr(cast(96 + row_number() over (
            partition by deal_number, moment_number order by min(log_number), stage_number, from_stage_number
        ) as integer)) as letter,
        count(*) over (partition by deal_number, moment_number) as move_count
    from log_rows
    group by deal_number, moment_number, from_stage_number, stage_number
),

-- every way, spelt in letters, on which each move begins where the one before ended
ways as (
    select
        deal_number,
        moment_number,
        from_stage_number,
        stage_number,
        letter as way,
        move_count
    from moves
    where move_count <= 12
    union all
    select
        ways.deal_number,
        ways.moment_number,
        ways.from_stage_number,
        moves.stage_number,
        ways.way || moves.letter as way,
        ways.move_count
    from ways
    inner join moves
        on
            ways.deal_number = moves.deal_number
            and ways.moment_number = moves.moment_number
            and ways.stage_number = moves.from_stage_number
    where ways.way not like '%' || moves.letter || '%'
),

-- the first whole way from each stage that one begins in: more than one stage has one only in a circle
whole_ways as (
    select
        deal_number,
        moment_number,
        from_stage_number,
        stage_number,
        min(way) as way
    from ways
    where length(way) = move_count
    group by deal_number, moment_number, from_stage_number, stage_number
),

-- where a moment leads, but for circles
moments as (
    select
        moves.deal_number,
        moves.moment_number,
        coalesce(max(whole_ways.stage_number), max_by(moves.stage_number, moves.letter)) as stage_number,
        coalesce(bool_or(whole_ways.stage_number = whole_ways.from_stage_number), false) as is_circle
    from moves
    left join whole_ways
        on moves.deal_number = whole_ways.deal_number and moves.moment_number = whole_ways.moment_number
    group by moves.deal_number, moves.moment_number
),

stands as (
    select
        deal_number,
        moment_number,
        max_by(stage_number, case when not is_circle then moment_number end) over (
            partition by deal_number order by moment_number rows between unbounded preceding and 1 preceding
        ) as stage_number
    from moments
),

chosen as (
    select
        stands.deal_number,
        stands.moment_number,
        coalesce(
            min(case when whole_ways.from_stage_number = stands.stage_number then whole_ways.way end),
            min(whole_ways.way)
        ) as way
    from stands
    inner join whole_ways
        on stands.deal_number = whole_ways.deal_number and stands.moment_number = whole_ways.moment_number
    group by stands.deal_number, stands.moment_number
),

in_order as (
    select
        log_rows.*,
        chosen.way,
        row_number() over chain as chain_number,
        lag(log_rows.stage_number) over chain as stage_number_before
    from log_rows
    inner join moves
        on
            log_rows.deal_number = moves.deal_number
            and log_rows.moment_number = moves.moment_number
            and log_rows.stage_number = moves.stage_number
            and log_rows.from_stage_number is not distinct from moves.from_stage_number
    left join chosen
        on log_rows.deal_number = chosen.deal_number and log_rows.moment_number = chosen.moment_number
    window chain as (
        partition by log_rows.deal_number
        order by
            log_rows.moment_number, {{ dbt.position('moves.letter', 'chosen.way') }}, moves.letter,
            log_rows.changed_by_id
    )
)

select
    deal_number,
    stage_number,
    coalesce(stage_number_before, from_stage_number) as previous_stage_number,
    changed_by_id,
    chain_number as log_number,
    changed_at,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from in_order
