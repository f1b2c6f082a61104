{{ config(materialized='table') }}

-- An open deal is odd where its amount, its age, its time in the stage or its path lies far outside those of its
-- segment's ended deals, and only where there are enough of them to tell. It is odd since it passed the fence.
with open_deals as (
    select
        deals.*,
        as_of.as_of
    from {{ ref('dim_deals') }} as deals
    cross join {{ ref('stg_as_of') }} as as_of
    where deals.status = 'open'
),

open_visits as (
    select
        visits.*,
        deals.as_of
    from {{ ref('fct_stage_visits') }} as visits
    inner join open_deals as deals on visits.deal_id = deals.deal_id
),

measured as (
    select
        deal_id,
        segment,
        'amount' as measure,
        currency as compared_with,
        cast(amount as double) as value,
        created_at as began_at
    from open_deals
    where amount > 0
    union all
    select
        deal_id,
        segment,
        'age' as measure,
        'all' as compared_with,
        {{ dbt.datediff('created_at', 'as_of', 'day') }} as value,
        created_at as began_at
    from open_deals
    union all
    select
        deal_id,
        segment,
        'time_in_stage' as measure,
        stage_id as compared_with,
        {{ dbt.datediff('entered_at', 'as_of', 'day') }} as value,
        entered_at as began_at
    from open_visits
    where exit_type = 'still_there' and is_entered_at_exact
),

outside as (
    select
        measured.*,
        norms.case_count,
        norms.median_value,
        norms.upper_fence,
        -- no median below a day, so that times as much can be told
        measured.value / greatest(norms.median_value, 1) as times_median
    from measured
    inner join {{ ref('int_segment_norms') }} as norms
        on
            measured.segment = norms.segment
            and measured.measure = norms.measure
            and measured.compared_with = norms.compared_with
    where measured.value > norms.upper_fence or measured.value < norms.lower_fence
),

amount_changes as (
    select
        changes.deal_id,
        max(changes.changed_at) as changed_at
    from {{ ref('crm_field_changes') }} as changes
    inner join outside on changes.deal_id = outside.deal_id
    where changes.field = 'amount' and outside.measure = 'amount'
    group by changes.deal_id
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
),

-- a count of moves back is held against how often ended deals had as many: most have none, so it has no spread
back_counts as (
    select
        segment,
        moved_back_count,
        count(*) as deal_count,
        sum(count(*)) over (partition by segment) as segment_deal_count
    from {{ ref('int_deals_in_norms') }}
    group by segment, moved_back_count
),

moves_back as (
    select
        deals.deal_id,
        facts.moved_back_count,
        max(open_counts.open_count) as open_count,
        count(*) over (partition by deals.segment, facts.moved_back_count) as made_by_count,
        cast(max(counts.segment_deal_count) as bigint) as case_count,
        cast(
            sum(case when counts.moved_back_count >= facts.moved_back_count then counts.deal_count else 0 end) as bigint
        ) as as_often_count
    from open_deals as deals
    inner join {{ ref('fct_deals') }} as facts on deals.deal_id = facts.deal_id
    inner join back_counts as counts on deals.segment = counts.segment
    inner join open_counts on deals.segment = open_counts.segment
    where facts.moved_back_count > 0
    group by deals.deal_id, deals.segment, facts.moved_back_count
),

last_moves_back as (
    select
        deal_id,
        max(exited_at) as exited_at
    from open_visits
    where exit_type = 'moved_back'
    group by deal_id
)

select
    outside.deal_id,
    outside.measure as oddity,
    outside.case_count,
    case
        when outside.measure = 'amount' then coalesce(amount_changes.changed_at, outside.began_at)
        else {{ dbt.dateadd('day', 'cast(floor(outside.upper_fence) as integer) + 1', 'outside.began_at') }}
    end as odd_since_at,
    case outside.measure
        when 'amount' then 'amount ' || {{ whole('outside.value') }} || ' ' || outside.compared_with
        when 'age' then 'open for ' || {{ whole('outside.value') }} || ' days'
        else {{ whole('outside.value') }} || ' days in ' || stages.stage
    end
    || ', '
    || case
        when outside.times_median >= 10 then {{ whole('outside.times_median') }}
        else cast(cast(outside.times_median as decimal(18, 2)) as {{ dbt.type_string() }})
    end
    || ' times the segment''s median of ' || {{ whole('outside.median_value') }}
    || ', n = ' || cast(outside.case_count as {{ dbt.type_string() }}) as reason
from outside
left join amount_changes on outside.deal_id = amount_changes.deal_id
left join {{ ref('dim_stages') }} as stages on outside.compared_with = stages.stage_id
union all
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
union all
select
    moves_back.deal_id,
    'moves_back' as oddity,
    moves_back.case_count,
    last_moves_back.exited_at as odd_since_at,
    'moved back ' || cast(moves_back.moved_back_count as {{ dbt.type_string() }}) || ' times, as '
    || cast(moves_back.as_often_count as {{ dbt.type_string() }}) || ' of the segment''s n = '
    || cast(moves_back.case_count as {{ dbt.type_string() }}) || ' ended deals did' as reason
from moves_back
inner join last_moves_back on moves_back.deal_id = last_moves_back.deal_id
where
    moves_back.case_count >= {{ var('oddity_min_moves') }}
    and moves_back.as_often_count < {{ var('oddity_rare_share') }} * moves_back.case_count
    and moves_back.made_by_count <= greatest(1, {{ var('oddity_common_share') }} * moves_back.open_count)
