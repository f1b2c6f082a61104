-- The card of each deal over time: one row per moment at which what is required or a field changed, with what was
-- required, filled and known from then on. Several things may happen in one moment; its row tells its end.
-- All columns of events are differences, so that their sums up to a moment tell the state then.
with stages as (
    select
        stage_id,
        row_number() over (order by stage_id) as stage_number
    from {{ ref('int_stages_completed') }}
),

required as (
    select * from {{ ref('int_card_fields_required') }}
),

named as (
    select distinct map_segment from required
    where map_segment <> '*'
),

-- the entries into stages: the deal's first, and where each stay went
entries as (
    select
        _deal_number as deal_number,
        segment,
        cast(null as {{ dbt.type_string() }}) as from_stage_id,
        cast(null as {{ dbt.type_timestamp() }}) as from_entered_at,
        stage_id,
        entered_at,
        visit_number,
        _load_id
    from {{ ref('fct_stage_visits') }}
    where visit_number = 1
    union all
    select
        _deal_number as deal_number,
        segment,
        stage_id as from_stage_id,
        entered_at as from_entered_at,
        next_stage_id as stage_id,
        exited_at as entered_at,
        visit_number + 1 as visit_number,
        _load_id
    from {{ ref('fct_stage_visits') }}
    where next_stage_id is not null
),

events as (
    select
        entries.deal_number,
        entries.entered_at as changed_at,
        -- the larger, the later: the stage entered last is found by a maximum
        100000 * cast(entries.visit_number as {{ dbt.type_bigint() }}) + coalesce(stages.stage_number, 0) as entry,
        coalesce(required.required_bits, 0) - coalesce(before.required_bits, 0) as required_bits,
        0 as filled_bits,
        0 as known_bits,
        entries._load_id
    from entries
    left join named on entries.segment = named.map_segment
    left join stages on entries.stage_id = stages.stage_id
    left join required
        on
            coalesce(named.map_segment, '*') = required.map_segment
            and entries.stage_id = required.stage_id
            and entries.entered_at >= required.holds_from
            and entries.entered_at < required.holds_to
    left join required as before
        on
            coalesce(named.map_segment, '*') = before.map_segment
            and entries.from_stage_id = before.stage_id
            and entries.from_entered_at >= before.holds_from
            and entries.from_entered_at < before.holds_to
    where
        entries.visit_number = 1
        or coalesce(required.required_bits, 0) <> coalesce(before.required_bits, 0)
    union all
    select
        deal_number,
        changed_at,
        null as entry,
        0 as required_bits,
        filled_bits,
        known_bits,
        _load_id
    from {{ ref('int_card_fields_changed') }}
),

moments as (
    select
        deal_number,
        changed_at,
        _load_id,
        max(entry) as entry,
        sum(required_bits) as required_bits,
        sum(filled_bits) as filled_bits,
        sum(known_bits) as known_bits
    from events
    group by deal_number, changed_at, _load_id
),

timed as (
    select
        deal_number,
        changed_at,
        _load_id,
        max(entry) over until_then as entry,
        cast(sum(required_bits) over until_then as integer) as required_bits,
        cast(sum(filled_bits) over until_then as integer) as filled_bits,
        cast(sum(known_bits) over until_then as integer) as known_bits
    from moments
    window until_then as (
        partition by deal_number, _load_id
        order by changed_at
        rows between unbounded preceding and current row
    )
)

select
    timed.*,
    stages.stage_id
from timed
left join stages on timed.entry % 100000 = stages.stage_number
where timed.entry is not null
