"""Extracts of any size in the generic layout, made by DuckDB in seconds. Shape, not statistics, is what counts here."""

from pathlib import Path

import duckdb

STAGES = ("Qualification", "Discovery", "Proposal", "Negotiation", "Legal review", "Signing", "Won", "Lost")
PHASES = ("presale", "presale", "sale", "sale", "documents", "documents", None, None)
TASKS = (
    "first_contact",
    "involve_decision_maker",
    "prepare_proposal",
    "send_proposal",
    "repeat_contact",
    "contract_draft",
    "legal_review",
)

# {deals} deals over two years, 8 stage rows, 2 field changes, 20 activities, 5 tasks and 2 people each. A deal lives 60
# to 180 days; its rows are spread evenly over what it has lived. Night 2 knows one day more of 1% of all deals, from
# the open ones.
DEALS = """
create or replace table deal as
select
    i, 'D' || i as deal_id, 'A' || (hash(i, 1) % greatest({deals} // 4, 1)) as account_id,
    'U' || (hash(i, 2) % 200) as owner_id,
    timestamp '2026-06-30 00:00:00' - to_seconds((hash(i, 3) % 63072000)::bigint) as created_at,
    60 + (hash(i, 4) % 120)::int as life_days,
    date_diff('second', created_at, timestamp '2026-06-30 00:00:00') / 86400.0 as age_days,
    age_days < life_days as is_open,
    hash(i, 5) % 4 = 0 as is_won,
    least(age_days, life_days) as lived_days
from range({deals}) t(i);

create or replace table changed as
select * from deal where is_open order by hash(i, 9) limit {deals} // 100;
"""

TABLES = {
    "deals": """
        select
            deal_id, 'Deal ' || i as deal_name, account_id, owner_id, 'sales' as pipeline,
            case when not is_open and is_won then 'Won' when not is_open then 'Lost'
                when {night} > 0 then {after} else {before} end as stage,
            case when not is_open and is_won then 'won' when not is_open then 'lost' else 'open' end as status,
            round((hash(i, 6) % 1000000 + {night}) / 10.0, 2)::decimal(18, 2) as amount, 'EUR' as currency,
            ['inbound', 'outbound', 'partner', 'event'][1 + (hash(i, 7) % 4)::int] as channel,
            created_at, (created_at + to_days(life_days))::date as expected_close_date,
            case when not is_open then created_at + to_seconds((lived_days * 86400)::bigint) end as closed_at,
            case when not is_open and not is_won then 'price' end as loss_reason,
            timestamp '2026-06-30 00:00:00' + to_days({night}) as updated_at
        from {source}
    """,
    "stage_changes": """
        select
            deal_id,
            case
                when k = 7 and is_open then {before}
                when k = 7 and is_won then 'Won'
                when k = 7 then 'Lost'
                else [{forward}][1 + k::int]
            end as to_stage,
            created_at + to_seconds((lived_days * 86400 * k / 7)::bigint) as changed_at,
            case when k > 0 then [{forward}][k::int] end as from_stage, owner_id as changed_by
        from {source} cross join range(8) r(k)
        where {night} = 0
        union all
        select
            deal_id, {after}, timestamp '2026-06-30 12:00:00' + to_seconds((hash(i) % 3600)::bigint),
            {before}, owner_id
        from {source} where {night} > 0
    """,
    "field_changes": """
        select
            deal_id, ['expected_close_date', 'amount', 'owner_id'][1 + k::int] as field,
            case k
                when 0 then (created_at + to_days(life_days - 30))::date::varchar
                when 1 then round(hash(i, 6) % 1000000 / 11.0, 2)::decimal(18, 2)::varchar
                else 'U' || (hash(i, 10) % 200)
            end as old_value,
            case k
                when 0 then (created_at + to_days(life_days))::date::varchar
                when 1 then round(hash(i, 6) % 1000000 / 10.0, 2)::decimal(18, 2)::varchar
                else owner_id
            end as new_value,
            created_at + to_seconds((lived_days * 86400 * (k + 1) / 4)::bigint) as changed_at, owner_id as changed_by
        from {source} cross join range(case when i % 10 = 0 then 3 else 2 end) r(k)
        where {night} = 0
        union all
        select
            deal_id, 'amount',
            round(hash(i, 6) % 1000000 / 10.0, 2)::decimal(18, 2)::varchar,
            round((hash(i, 6) % 1000000 + {night}) / 10.0, 2)::decimal(18, 2)::varchar,
            timestamp '2026-06-30 12:00:00' + to_seconds((hash(i) % 3600)::bigint), owner_id
        from {source} where {night} > 0
    """,
    "activities": """
        select
            'X' || i || '-' || j || '-' || {night} as activity_id, deal_id, owner_id,
            'C' || (hash(i, 8) % greatest({deals} // 2, 1)) as contact_id,
            ['call', 'email', 'meeting', 'note'][1 + (hash(i, j) % 4)::int] as type,
            ['in', 'out'][1 + (hash(j, i) % 2)::int] as direction,
            case type
                when 'call' then ['connected', 'no answer'][1 + (hash(i, j, 1) % 2)::int]
                when 'email' then case direction when 'in' then 'replied' else 'sent' end
                when 'meeting' then 'held'
            end as outcome,
            created_at + to_seconds((lived_days * 86400 * j / 20)::bigint) as occurred_at,
            created_at + to_seconds((lived_days * 86400 * j / 20 + hash(i, j) % 3600)::bigint) as logged_at
        from {source} cross join range(case when {night} = 0 then 20 else 3 end) r(j)
    """,
    "tasks": """
        select
            'T' || i || '-' || j as task_id, deal_id, owner_id,
            [{tasks}][1 + j::int] as task_type,
            deal.created_at + to_seconds((lived_days * 86400 * j / 9)::bigint) as created_at,
            deal.created_at + to_seconds((lived_days * 86400 * j / 9 + 432000)::bigint) as original_due_at,
            original_due_at + to_days((hash(i, j) % 3)::int) as due_at,
            case
                when {night} > 0 then timestamp '2026-06-30 12:00:00'
                when hash(j, i) % 10 > 0
                    then deal.created_at + to_seconds((lived_days * 86400 * (j + hash(i, j, 2) % 100 / 100) / 9)::int8)
            end as completed_at
        from {source} as deal cross join range(case when {night} = 0 then 3 + i % 5 else 1 end) r(j)
    """,
    "deal_contacts": """
        select
            deal_id, 'C' || (hash(i, 8 + j) % greatest({deals} // 2, 1)) as contact_id,
            ['champion', 'decision maker', 'user'][1 + j::int] as role, j = 1 as is_decision_maker,
            created_at + to_seconds((lived_days * 86400 * j / 5)::bigint) as added_at
        from {source} cross join range(2 + i % 2) r(j)
        where {night} = 0
    """,
    "revenue_events": """
        select
            deal_id, ['first_use', 'invoice', 'payment'][1 + (k % 3)::int] as kind,
            created_at + to_seconds(((lived_days + 10 * (1 + k)) * 86400)::bigint) as occurred_at,
            (hash(i, k) % 100000)::decimal(18, 2) as amount, 'EUR' as currency
        from {source} cross join range(6) r(k)
        where {night} = 0 and not is_open and is_won and age_days > lived_days + 10 * (1 + k)
    """,
    "accounts": """
        select
            'A' || i as account_id, 'Account ' || i as account_name,
            ['enterprise', 'mid_market', 'small_business', 'public_sector'][1 + (hash(i) % 4)::int] as segment
        from range(greatest({deals} // 4, 1)) t(i) where {night} = 0
    """,
    "users": """
        select 'U' || i as user_id, 'User ' || i as user_name, 'Team ' || i % 8 as team
        from range(200) t(i) where {night} = 0
    """,
    "stages": """
        select 'sales' as pipeline, stage, position, phase, stage = 'Won' as is_won, stage = 'Lost' as is_lost
        from (select unnest([{stages}]) as stage, unnest(range(1, 9)) as position, unnest([{phases}]) as phase)
        where {night} = 0
    """,
}


def make_extracts(folder: Path, deals: int, night: int) -> dict[str, int]:
    """Write night 0 (everything) or night 1 (a delta for 1% of the deals) as Parquet; returns rows per entity."""
    con = duckdb.connect()
    con.execute("set enable_progress_bar = false; set threads = 2")
    con.execute("set preserve_insertion_order = false; set memory_limit = '4GB'")
    con.execute(DEALS.format(deals=deals))
    target = folder / "generic" / ("2026-06-30" if night == 0 else "2026-07-01")
    target.mkdir(parents=True, exist_ok=True)
    words = {
        "before": "['Negotiation', 'Signing'][1 + (i % 2)::int]",  # where an open deal stands on night 0
        "after": "['Signing', 'Negotiation'][1 + (i % 2)::int]",  # and where it went by night 1
        "forward": ", ".join(f"'{STAGES[n]}'" for n in (0, 1, 2, 1, 2, 3, 4, 5)),
        "stages": ", ".join(f"'{name}'" for name in STAGES),
        "tasks": ", ".join(f"'{name}'" for name in TASKS),
        "phases": ", ".join(f"'{name}'" if name else "null" for name in PHASES),
    }
    rows = {}
    for entity, select in TABLES.items():
        source = "deal" if night == 0 else "changed"
        query = select.format(source=source, night=night, deals=deals, **words)
        path = target / f"{entity}{'.delta' if night else ''}.parquet"
        rows[entity] = con.execute(f"copy ({query}) to '{path}' (format parquet)").fetchone()[0]
        if rows[entity] == 0:
            path.unlink()
    con.close()
    return rows
