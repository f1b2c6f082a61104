"""The waterfall of random companies against a slow replay, day by day and deal by deal."""

from collections import Counter
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.settings import PROJECT_DIR

START = datetime(2026, 2, 20)
DAYS = 60  # over one turn of a quarter
AS_OF = START + timedelta(days=DAYS, hours=-1)
TEAMS = {"x:u1": "North", "x:u2": "North", "x:u3": "South"}
CLOSE_DATES = [None, date(2026, 2, 1), date(2026, 3, 10), date(2026, 4, 5), date(2026, 9, 1), date(2025, 12, 31)]
STAGES = {"lead": "open", "offer": "open", "won": "won", "lost": "lost"}
FLOWS_IN = ["created", "reopened", "pulled_in", "rolled_in", "transferred_in", "increased"]
FLOWS_OUT = ["won", "lost", "pushed_out", "rolled_out", "transferred_out", "decreased"]

TABLES = """
create table stg_as_of as select timestamp '{as_of}' as as_of, 1 as newest_load_id;
create table dim_dates as
select unnest(generate_series(date '2026-01-01', date '2026-12-31', interval 1 day))::date as date_day;
create table dim_users (user_id varchar, team varchar);
create table dim_stages as select * from (values
    ('lead', 'x', 'sales', 1, false, false), ('offer', 'x', 'sales', 2, false, false),
    ('won', 'x', 'sales', 3, true, false), ('lost', 'x', 'sales', 4, false, true)
) t(stage_id, crm, pipeline, position, is_won, is_lost);
create table dim_deals (
    deal_id varchar, crm varchar, pipeline varchar, segment varchar, currency varchar, status varchar,
    owner_id varchar, amount decimal(18, 2), expected_close_date date, created_at timestamp, _load_id integer
);
create table crm_field_changes (
    deal_id varchar, crm varchar, field varchar, old_value varchar, new_value varchar, changed_at timestamp,
    changed_by_id varchar, is_bulk_edit boolean
);
create table int_deals_numbered (deal_id varchar, deal_number bigint);
create view crm_deals as select *, false as is_deleted from dim_deals;
create table fct_stage_visits (
    deal_id varchar, visit_number integer, stage_id varchar, next_stage_id varchar, entered_at timestamp,
    exited_at timestamp, _load_id integer
);
"""


def sql_of(model: str) -> str:
    """The model's SQL for DuckDB, on tables of the bare names, for a first build."""
    folders = [PROJECT_DIR / "models" / "intermediate", PROJECT_DIR / "models" / "marts" / "pipeline"]
    path = next(folder / f"{model}.sql" for folder in folders if (folder / f"{model}.sql").exists())
    macro = (PROJECT_DIR / "macros" / "close_horizon.sql").read_text()
    dbt = SimpleNamespace(
        date_trunc=lambda part, at: f"date_trunc('{part}', {at})",
        dateadd=lambda part, count, at: f"({at} + interval ({count}) {part})",
        datediff=lambda start, end, part: f"date_diff('{part}', {start}, {end})",
        type_timestamp=lambda: "timestamp",
        type_string=lambda: "varchar",
    )
    return jinja2.Template(macro + path.read_text()).render(
        ref=lambda name: name,
        config=lambda **_: "",
        is_newly_built=lambda *_: "true",
        is_touched=lambda *_: "true",
        is_incremental=lambda: False,
        var=lambda _: 20,
        dbt=dbt,
    )


moments = st.integers(0, DAYS * 4 - 2).map(lambda n: START + timedelta(hours=6 * n))
edits = st.one_of(
    st.tuples(moments, st.just("amount"), st.sampled_from([None, 0, 10, 25])),
    st.tuples(moments, st.just("expected_close_date"), st.sampled_from(CLOSE_DATES)),
    st.tuples(moments, st.just("owner_id"), st.sampled_from([None, "u1", "u2", "u3"])),
    st.tuples(moments, st.just("stage"), st.sampled_from(list(STAGES))),
)
deals = st.tuples(
    moments,
    st.sampled_from([None, 5, 10]),
    st.sampled_from(CLOSE_DATES),
    st.sampled_from([None, "u1", "u3"]),
    st.lists(edits, max_size=12, unique_by=lambda edit: edit[:2]),
)


def horizon(close_date: date | None, day: date) -> str:
    if close_date is None:
        return "no_date"
    own, seen = ((d.year, (d.month - 1) // 3) for d in (close_date, day))
    return "earlier_quarter" if own < seen else "later" if own > seen else "this_quarter"


def replay(company) -> tuple[Counter, Counter, Counter, Counter]:
    """Deals, amounts and deals without one by (day, horizon, team) at each day's end; endings by (day, outcome)."""
    count, amount, without, ended = Counter(), Counter(), Counter(), Counter()
    for created, first_amount, first_date, first_owner, edited in company:
        later = sorted(edit for edit in edited if edit[0] > created)  # type: ignore[type-var]
        for n in range(DAYS):
            day = (START + timedelta(days=n)).date()
            now = {"amount": first_amount, "expected_close_date": first_date, "owner_id": first_owner, "stage": "lead"}
            for at, field, value in later:
                if at.date() > day:
                    break
                was_open = STAGES[now["stage"]] == "open"
                now[field] = value
                if field == "stage" and was_open and STAGES[value] != "open" and at.date() == day:
                    ended[day, value] += 1
            if created.date() > day or STAGES[now["stage"]] != "open":
                continue
            team = TEAMS.get(f"x:{now['owner_id']}", "unknown")
            place = (day, horizon(now["expected_close_date"], day), team)
            count[place] += 1
            amount[place] += now["amount"] or 0
            without[place] += now["amount"] is None
    return count, amount, without, ended


def fill(con: duckdb.DuckDBPyConnection, company) -> None:
    con.execute(TABLES.format(as_of=AS_OF))
    con.executemany("insert into dim_users values (?, ?)", list(TEAMS.items()))
    for number, (created, first_amount, first_date, first_owner, edited) in enumerate(company):
        deal = f"d{number}"
        now = {"amount": first_amount, "expected_close_date": first_date, "owner_id": first_owner, "stage": "lead"}
        visits = [("lead", created)]
        for at, field, value in sorted((edit for edit in edited if edit[0] > created), key=lambda edit: edit[:2]):
            old, now[field] = now[field], value
            if field != "stage":
                texts = [None if one is None else str(one) for one in (old, value)]
                con.execute(
                    "insert into crm_field_changes values (?, 'x', ?, ?, ?, ?, null, null)", [deal, field, *texts, at]
                )
            elif value != old:
                visits.append((value, at))
        ends = [*visits[1:], (None, None)]
        for turn, ((stage, entered), (next_stage, exited)) in enumerate(zip(visits, ends, strict=True), start=1):
            row = [deal, turn, stage, next_stage, entered, exited]
            con.execute("insert into fct_stage_visits values (?, ?, ?, ?, ?, ?, 1)", row)
        con.execute("insert into int_deals_numbered values (?, ?)", [deal, number])
        owner = now["owner_id"] and f"x:{now['owner_id']}"
        con.execute(
            "insert into dim_deals values (?, 'x', 'sales', 's', 'EUR', ?, ?, ?, ?, ?, 1)",
            [deal, STAGES[now["stage"]], owner, now["amount"], now["expected_close_date"], created],
        )


@pytest.fixture(scope="module")
def models() -> dict[str, str]:
    names = ["int_deal_changes_parsed", "int_deal_owners_versioned", "int_deal_statuses_derived"]
    names += ["int_deal_values_versioned", "int_pipeline_movements_derived"]
    return {name: sql_of(name) for name in [*names, "fct_pipeline_movements"]}


@hypothesis_settings(max_examples=40, deadline=None)
@given(company=st.lists(deals, min_size=1, max_size=5))
def test_every_day_closes_with_what_a_replay_of_each_deal_finds(models, company):
    con = duckdb.connect()
    fill(con, company)
    for name, sql in models.items():
        con.execute(f"create table {name} as {sql}")
    count, amount, without, ended = replay(company)
    places = "select date_day, close_horizon, team"
    told = con.execute(
        f"{places}, closing_deals, closing_amount, deals_without_amount "
        "from fct_pipeline_movements where closing_deals <> 0"
    ).fetchall()
    assert {tuple(row[:3]): row[3] for row in told} == +count
    assert {tuple(row[:3]): row[4] for row in told} == {place: amount[place] for place in count}
    assert {tuple(row[:3]): row[5] for row in told} == {place: without[place] for place in count}
    for outcome in ("won", "lost"):
        days = con.execute(
            f"select date_day, sum({outcome}_deals) as ended from fct_pipeline_movements group by 1 having ended > 0"
        ).fetchall()
        assert dict(days) == {day: n for (day, name), n in ended.items() if name == outcome}
    assert con.execute("select sum(created_deals) from fct_pipeline_movements").fetchone() == (len(company),)
    for unit, moving in (("amount", 6), ("deals", 5)):
        flows_in = " + ".join(f"{flow}_{unit}" for flow in FLOWS_IN[:moving])
        flows_out = " + ".join(f"{flow}_{unit}" for flow in FLOWS_OUT[:moving])
        broken = f"opening_{unit} + {flows_in} - ({flows_out}) <> closing_{unit}"
        assert con.execute(f"{places} from fct_pipeline_movements where {broken}").fetchall() == []
