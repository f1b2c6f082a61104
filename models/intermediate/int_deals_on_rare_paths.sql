-- Open deals that made a move between stages that hardly any stay of their segment's ended deals led to: the rarest
-- move of each deal, and the last of those.
with open_deals as (
    select * from {{ ref('dim_deals') }}
    where status = 'open'
),

open_visits as (
    select visits.*
    from {{ ref('fct_stage_visits') }} as visits
    inner join open_deals as deals on visits.deal_id = deals.deal_id
),

moves as (
    select
        visits.deal_id,
        visits.segment,
        visits.stage_id,
        visits.next_stage_id,
        min(visits.exited_at) as exited_at
    from open_visits as visits
    where visits.next_stage_id is not null
    group by visits.deal_id, visits.segment, visits.stage_id, visits.next_stage_id
),

open_counts as (
    select
        segment,
        count(*) as open_count
    from open_deals
    group by segment
),

-- what many open deals do is a new way of working, not a case for each
uncommon_moves as (
    select
        moves.*,
        open_counts.open_count,
        count(*) over (partition by moves.segment, moves.stage_id, moves.next_stage_id) as made_by_count
    from moves
    inner join open_counts on moves.segment = open_counts.segment
),

stays as (
    select distinct
        segment,
        stage_id,
        stay_count
    from {{ ref('int_segment_moves') }}
    where stay_count >= {{ var('oddity_min_moves') }}
),

rare_moves as (
    select
        moves.*,
        stays.stay_count,
        coalesce(known.move_count, 0) as move_count,
        row_number() over (
            partition by moves.deal_id
            order by coalesce(known.move_count, 0) * 1.0 / stays.stay_count, moves.exited_at desc
        ) as rarity
    from uncommon_moves as moves
    inner join stays on moves.segment = stays.segment and moves.stage_id = stays.stage_id
    left join {{ ref('int_segment_moves') }} as known
        on
            moves.segment = known.segment
            and moves.stage_id = known.stage_id
            and moves.next_stage_id = known.next_stage_id
    where
        coalesce(known.move_count, 0) < {{ var('oddity_rare_share') }} * stays.stay_count
        and moves.made_by_count <= greatest(1, {{ var('oddity_common_share') }} * moves.open_count)
)

select
    moves.deal_id,
    'path' as oddity,
    moves.stay_count as case_count,
    moves.exited_at as odd_since_at,
    'went from ' || stages.stage || ' to ' || next_stages.stage || ', as '
    || cast(moves.move_count as {{ dbt.type_string() }}) || ' of the segment''s n = '
    || cast(moves.stay_count as {{ dbt.type_string() }}) || ' stays did' as reason
from rare_moves as moves
inner join {{ ref('dim_stages') }} as stages on moves.stage_id = stages.stage_id
inner join {{ ref('dim_stages') }} as next_stages on moves.next_stage_id = next_stages.stage_id
where moves.rarity = 1
