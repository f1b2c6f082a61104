"""Publications for the dashboard's tests: one without a row, and tables with figures made up from a deal's own id."""

import shutil
from pathlib import Path

import duckdb

from orchestration.defs.landing.sql import ident, literal

OPEN_DEALS = """
create temp table open_deals as
select
    deals.*, stages.stage_id, (hash(deals.deal_id) % 1000) / 1000.0 as u,
    (select max(as_of) from publication) as as_of
from dim_deals as deals
left join dim_stages as stages on deals.pipeline = stages.pipeline and deals.stage = stages.stage
where deals.status = 'open';
create temp table lost_deals as
select
    deals.*, visits.stage_id, facts.lost_at, (hash(deals.deal_id) % 1000) / 1000.0 as u,
    (select max(as_of) from publication) as as_of
from dim_deals as deals
inner join fct_deals as facts on deals.deal_id = facts.deal_id
left join fct_stage_visits as visits on deals.deal_id = visits.deal_id and visits.exit_type = 'lost'
where facts.lost_at is not null
qualify row_number() over (partition by deals.deal_id order by visits.visit_number desc) = 1;
"""

# The columns that pages read, under the names their models give them.
TABLES = {
    "deal_risk": """
        select
            deal_id, cast(as_of as date) as as_of, pipeline as pipeline_id, stage_id, segment, channel, team, owner_id,
            amount, u as p_win_90d, greatest(u - 0.1, 0) as p_win_90d_low, least(u + 0.1, 1) as p_win_90d_high,
            (1 - u) / 3 as p_lost_30d, (1 - u) / 4 as p_lost_30d_low, (1 - u) / 2 as p_lost_30d_high,
            u as p_win_ever, u / 2 as p_win_ever_low, (1 + u) / 2 as p_win_ever_high, 40.0 as expected_days_to_close
        from open_deals
    """,
    "deal_risk_reasons": """
        select
            deal_id, cast(as_of as date) as as_of, 'win_90d' as outcome, part, u as value, 'value' as value_text,
            contribution * (u - 0.5) as contribution, rank as reason_rank,
            'ind_' || part as fact_table, part as sentence
        from
            open_deals,
            (values ('base', 1.0, 0), ('silence_days', 2.0, 1), ('meetings_held', -1.0, 2))
                as p (part, contribution, rank)
    """,
    "deal_risk_history": """
        select deal_id, as_of - n * interval 1 day as as_of, greatest(u - n * 0.05, 0) as p_win_90d, u as p_lost_30d,
            u as p_win_ever, stage_id
        from open_deals, range(2) as nights (n)
    """,
    "bookings_nowcast": """
        select
            cast(max(as_of) as date) as as_of, horizon, cast(max(as_of) as date) + days as horizon_ends_on,
            coalesce(segment, 'all') as segment, coalesce(team, 'all') as team, any_value(currency) as currency,
            sum(amount) as open_amount,
            cast(1000 as decimal(18, 2)) as booked_so_far, cast(2000 as decimal(18, 2)) as expected_open,
            cast(500 as decimal(18, 2)) as expected_new, cast(3500 as decimal(18, 2)) as median,
            cast(3000 as decimal(18, 2)) as low_80, cast(4000 as decimal(18, 2)) as high_80,
            cast(case horizon when 'quarter_end' then 3800 end as decimal(18, 2)) as target, 0.9 as coverage,
            cast(-300 as decimal(18, 2)) as gap
        from open_deals, (values ('days_30', 30), ('days_90', 90), ('quarter_end', 45)) as h (horizon, days)
        group by cube (segment, team), horizon, days
    """,
    "deals_needing_attention": """
        select
            cast(as_of as date) as as_of, owner_id, team,
            row_number() over (partition by owner_id order by amount desc) as rank_in_owner,
            row_number() over (order by amount * (1 - u) desc, deal_id) as rank_overall,
            row_number() over (order by amount * (1 - u) desc, deal_id) as rank_by_risk, deal_id, deal_name, segment,
            stage_id, amount, u as p_win_90d, (1 - u) / 3 as p_lost_30d, amount * (1 - u) / 3 as amount_at_risk,
            amount * (1 - u) / 9 as amount_saved_by_acting, 'send_proposal' as next_act,
            'send_proposal' as next_act_step_id,
            'overdue' as next_act_status, cast(as_of as date) - 3 as due_on, 3 as days_overdue, 3 as acted_within_days,
            40 as acted_n,
            0.4 as acted_win_rate, 30 as not_acted_n, 0.2 as not_acted_win_rate, 0.2 as win_rate_difference,
            0.05 as difference_low, 0.35 as difference_high, 'The proposal is three days late.' as sentence
        from open_deals where u < 0.5
    """,
    "loss_autopsy": """
        select
            deal_id, cast(as_of as date) as as_of, cast(lost_at as date) as lost_on, u > 0.9 as is_silent_death,
            segment,
            stage_id, channel, team, owner_id, amount, competitor, loss_reason as stated_reason,
            case when u < 0.3 then 'late_proposal_silence' when u < 0.5 then 'no_decision_maker' else 'unknown' end
                as found_cause,
            cast(lost_at as date) - 20 as first_visible_on, 20 as days_visible_before_loss,
            u > 0.2 as is_reason_supported,
            false as is_reason_edited_after_close, 'Silence for 20 days.' as sentence
        from lost_deals
    """,
    "loss_timeline": """
        select deal_id, cast(lost_at as date) - 9 as turned_on, 'silence_days' as thing, 30.0 as value, 14.0 as norm,
            'The client was not heard for 30 days.' as sentence, 'ind_silence_days' as fact_table
        from lost_deals
    """,
    "model_quality": """
        select date '2026-03-01' as tested_on, 'win_90d' as outcome, 'inflight' as model, 100 as n, 30 as events,
            0.8 as auc, 1.0 as calibration_slope, 1.0 as predicted_over_actual
        from open_deals limit 1
    """,
    "loss_reason_queue": """
        select deal_id, owner_id, row_number() over (order by amount desc, deal_id) as rank_overall, amount,
            cast(lost_at as date) as lost_on, 'Why was it lost?' as question
        from lost_deals where loss_reason is null
    """,
    "manager_scorecard": """
        select
            owner_id, period_days, coalesce(segment, '(all)') as segment, min(team) as team, count(*) as deals,
            0.9 as done_share, 0.7 as on_time_share, 9.0 as contacts_per_deal, 8.0 as contacts_per_deal_expected,
            0.8 as card_completeness, 3.5 as contacts_per_week, 4 as wins, 20 as closed, 0.2 as win_rate,
            0.22 as expected_win_rate, 0.2 + min(u) / 10 as win_rate_adjusted, 0.1 as win_rate_adjusted_low,
            0.35 as win_rate_adjusted_high, 0.01 as outside_control, 0.8 as others_on_time_share,
            cast(null as bigint) as place,
            'the intervals overlap' as place_reason
        from open_deals, (values (90), (365)) as p (period_days)
        where owner_id is not null
        group by grouping sets ((owner_id, period_days), (owner_id, period_days, segment))
    """,
    "win_loss_contrast": """
        select
            coalesce(segment, '(all)') as segment, landmark, 'silence_days' as thing, 1 as contrast_rank,
            40 as won_n, 60 as lost_n,
            0.6 as won_share, 0.4 as lost_share, 0.2 as difference, 0.05 as difference_low, 0.35 as difference_high,
            'Won deals were heard more.' as sentence
        from open_deals, (values ('age_14'), ('age_30')) as l (landmark)
        group by grouping sets ((segment, landmark), (landmark))
    """,
}


def with_all_tables(published: Path, target: Path) -> Path:
    """A copy of a publication in which every table is that a page reads; those it has already stay as they are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(published, target)
    with duckdb.connect(str(target), config={"threads": 1}) as con:
        con.execute(OPEN_DEALS)
        for name, sql in TABLES.items():
            con.execute(f"create table if not exists {ident(name)} as {sql}")
            con.execute(
                f"""
                insert into publication by name
                select any_value(columns(* exclude (table_name, row_count, content_hash))),
                    {literal(name)} as table_name, (select count(*) from {ident(name)}) as row_count, '' as content_hash
                from publication having count(*) filter (where table_name = {literal(name)}) = 0
                """
            )
    return target


def without_rows(published: Path, target: Path) -> Path:
    """A publication with the tables of another, and nothing in them: a warehouse into which nothing landed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(target), config={"threads": 1}) as con:
        con.execute(f"attach {literal(str(published))} as full_one (read_only)")
        names = [name for (name,) in con.execute("select distinct table_name from full_one.publication").fetchall()]
        for name in names:
            con.execute(f"create table {ident(name)} as select * from full_one.{ident(name)} limit 0")
        con.execute(
            """
            create table publication as
            select * replace (0 as row_count, null::timestamp as as_of, 'empty' as publication_id)
            from full_one.publication
            """
        )
    return target
