{{ config(materialized='table') }}

-- A segment's own line wins over the one for all, but only while it holds. So time is cut wherever a line of the
-- step begins or ends, and each piece takes the line that wins it. Segment * is every segment that the map does
-- not name.
with lines as (
    select
        *,
        row_number() over (order by step, segment, valid_from, version) as journey_line_id,
        cast(valid_from as {{ dbt.type_timestamp() }}) as holds_from,
        cast(coalesce(valid_to, cast('9999-12-31' as date)) as {{ dbt.type_timestamp() }}) as holds_to,
        -- steps that begin and are skipped alike share one span of the deal's life
        dense_rank() over (order by trigger, trigger_name, skipped_after_stage) as span_id,
        dense_rank() over (order by trigger, trigger_name) as trigger_id
    from {{ ref('journey_map') }}
),

segments as (
    select segment from lines
    union
    select '*' as segment
),

applicable as (
    select
        segments.segment as map_segment,
        lines.*
    from segments
    inner join lines on lines.segment in (segments.segment, '*')
),

cuts as (
    select
        map_segment,
        step,
        holds_from as cut_at
    from applicable
    union
    select
        map_segment,
        step,
        holds_to as cut_at
    from applicable
),

pieces as (
    select
        map_segment,
        step,
        cut_at as holds_from,
        lead(cut_at) over (partition by map_segment, step order by cut_at) as holds_to
    from cuts
),

won as (
    select
        applicable.*,
        pieces.holds_from as piece_from,
        pieces.holds_to as piece_to,
        row_number() over (
            partition by pieces.map_segment, pieces.step, pieces.holds_from
            order by case when applicable.segment = '*' then 2 else 1 end, applicable.journey_line_id
        ) as place
    from pieces
    inner join applicable
        on
            pieces.map_segment = applicable.map_segment
            and pieces.step = applicable.step
            and pieces.holds_from >= applicable.holds_from
            and pieces.holds_to <= applicable.holds_to
),

-- what proves something only after the trigger
after_trigger as (
    select evidence from {{ ref('journey_evidence') }}
    where not may_precede
),

-- another step begins when this one is done
followed as (
    select trigger_name as step from lines
    where trigger = 'step_done'
)

select
    journey_line_id,
    map_segment,
    piece_from as holds_from,
    piece_to as holds_to,
    span_id,
    version as map_version,
    segment as line_segment,
    phase,
    stage,
    step_number,
    step,
    step_label,
    trigger,
    trigger_name,
    deadline_amount,
    deadline_unit,
    role,
    coalesce(is_required, true) as is_required,
    skipped_after_stage,
    coalesce(evidence, step) as evidence,
    coalesce(evidence, step) in (select evidence from after_trigger) as is_proven_later,
    step in (select step from followed) as is_followed,
    -- versions with other triggers can both begin in one deal: the first one counts. Told of the line, which other
    -- segments share
    trigger = 'step_done' or min(span_id) over step_lines < max(span_id) over step_lines as is_contested,
    -- and a deal may begin the step by each of them while the other is in force
    min(trigger_id) over versions < max(trigger_id) over versions as is_begun_otherwise
from won
where place = 1 and trigger <> 'never'
window versions as (partition by map_segment, step), step_lines as (partition by step)
