-- Open deals that moved back more often than nearly all ended deals of their segment. A count is held against how often
-- ended deals had as many: most have none, so it has no spread.
with open_deals as (
    select * from {{ ref('dim_deals') }}
    where status = 'open'
),

open_counts as (
    select
        segment,
        count(*) as open_count
    from open_deals
    group by segment
),

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
    from {{ ref('fct_stage_visits') }}
    where exit_type = 'moved_back'
    group by deal_id
)

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
