"""Truths about stage visits on every odd history, whatever the SQL behind them looks like."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.python.conftest import Extracts
from tests.python.histories import AS_OF, PIPELINES, START, Company, Row, companies, company, shuffled
from tests.python.models import Models, Warehouse, dbt
from tests.python.reference_visits import Visit, visits

GIVEN = ("stg_as_of", "generic.deals", "generic.stage_changes", "generic.stages")
LANDED = {
    "landing.files": "landing.files",
    "generic.deals": "raw_generic.deals",
    "generic.stage_changes": "raw_generic.stage_changes",
    "generic.stages": "raw_generic.stages",
}
MARTS = {
    mart: f"select * exclude (_deal_number, _load_id) from {mart} order by all"
    for mart in ("fct_stage_visits", "fct_deals", "dim_deals")
}
EXITS = {"advanced", "lost", "moved_back", "handed_off", "still_there"}
DAYS = [START.date() + timedelta(days=number) for number in range((AS_OF - START).days + 1)]

# The same companies every time: what is found must be found again by whoever looks for it.
on_companies = hypothesis_settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def warehouse(models: Models) -> Warehouse:
    return models.warehouse("cohort_stage_conversion", given=GIVEN)


def build(warehouse: Warehouse, extracts: Company) -> list[Row]:
    """The stage visits of a company, in the order of each deal's life."""
    warehouse.build(
        {
            "stg_as_of": [{"as_of": AS_OF, "newest_load_id": 1}],
            "generic.deals": extracts.deals,
            "generic.stage_changes": extracts.stage_changes,
            "generic.stages": extracts.stages,
        }
    )
    return warehouse.rows("select * from fct_stage_visits order by deal_id, visit_number")


def as_rows(result: duckdb.DuckDBPyConnection) -> list[Row]:
    columns = [column[0] for column in result.description]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def by_deal(rows: Iterable[Row]) -> dict[str, list[Row]]:
    deals = defaultdict(list)
    for row in rows:
        deals[row["deal_id"]].append(row)
    return deals


def facts(rows: Iterable[Row]) -> dict[str, list[Visit]]:
    """What the reference tells of a visit, of each deal."""
    return {
        deal_id: [Visit(*(stay[name] for name in Visit._fields)) for stay in stays]
        for deal_id, stays in by_deal(rows).items()
    }


def assert_same_visits(built: dict[str, list[Visit]], extracts: Company) -> None:
    """The visits built are those of the reference; shows the first deal of which they are not."""
    expected = visits(extracts.deals, extracts.stage_changes, extracts.stages)
    differ = sorted(deal for deal in expected.keys() | built.keys() if expected.get(deal, []) != built.get(deal, []))
    if differ:
        one = differ[0].removeprefix("generic:")
        history = extracts.of(one)
        lines = [*map(str, history.deals), *map(str, history.stage_changes)]
        lines += ["expected:", *map(str, expected.get(differ[0], [])), "built:", *map(str, built.get(differ[0], []))]
        lines.insert(0, f"{len(differ)} of {len(expected)} deals differ from the reference, as deal {one}:")
        pytest.fail("\n".join(lines))


# -- on companies drawn by hypothesis


@on_companies
@given(extracts=companies())
def test_visits_cover_the_life_of_a_deal_from_first_sight_to_its_last_state(warehouse: Warehouse, extracts: Company):
    stays = by_deal(build(warehouse, extracts))
    log = defaultdict(list)
    for change in extracts.stage_changes:
        log[change["deal_id"]].append(change["changed_at"])
    kinds = {f"generic:{pipeline}:{name}": kind for pipeline, of in PIPELINES.items() for name, kind in of}
    seen = by_deal(extracts.deals)
    alive = [deal for deal in extracts.current_deals if not deal["is_deleted"]]
    assert stays.keys() == {f"generic:{deal['deal_id']}" for deal in alive}
    for deal in alive:
        life = stays[f"generic:{deal['deal_id']}"]
        assert [stay["visit_number"] for stay in life] == [*range(1, len(life) + 1)]
        for stay, after in pairwise(life):
            assert stay["entered_at"] <= stay["exited_at"] == after["entered_at"]
            assert stay["next_stage_id"] == after["stage_id"] != stay["stage_id"]
            assert stay["exit_type"] != "still_there"
        last = life[-1]
        assert (last["exited_at"], last["next_stage_id"], last["exit_type"]) == (None, None, "still_there")
        assert last["entered_at"] <= AS_OF
        moved_at = log[deal["deal_id"]]
        sights = [*moved_at]
        for version in [deal] if moved_at else seen[deal["deal_id"]]:
            sights.append(deal["created_at"] if moved_at else version["_extracted_at"])
            if version["status"] != "open" and version["closed_at"]:
                sights.append(version["closed_at"])
        assert life[0]["entered_at"] >= min(sights)
        if deal["status"] == "lost":
            assert "(lost)" in last["stage_id"] or kinds[last["stage_id"]] == "lost"
        if deal["status"] == "won":
            assert any("(won)" in stay["stage_id"] or kinds.get(stay["stage_id"]) == "won" for stay in life)


@on_companies
@given(extracts=companies())
def test_what_entered_a_stage_left_it_or_is_still_there_on_every_day(warehouse: Warehouse, extracts: Company):
    """Stock and flow: entries up to a day are the exits up to it, by kind, and the deals in the stage that night."""
    rows = build(warehouse, extracts)
    flows: dict[str, Counter[tuple[str, date]]] = defaultdict(Counter)
    for row in rows:
        assert row["exit_type"] in EXITS
        assert (row["exit_type"] == "still_there") == (row["exited_at"] is None)
        flows[row["stage_id"]]["entered", row["entered_at"].date()] += 1
        if row["exited_at"]:
            flows[row["stage_id"]][row["exit_type"], row["exited_at"].date()] += 1
    stays = by_deal(rows)
    before = min((row["entered_at"].date() for row in rows), default=DAYS[0])
    totals = {stage: Counter[str]() for stage in flows}
    for day in [before + timedelta(days=number) for number in range((AS_OF.date() - before).days + 1)]:
        tonight = datetime.combine(day + timedelta(days=1), datetime.min.time())
        # where a deal is at midnight is read off its entries alone
        there = Counter(
            max(entered, key=lambda stay: stay["visit_number"])["stage_id"]
            for life in stays.values()
            if (entered := [stay for stay in life if stay["entered_at"] < tonight])
        )
        for stage, counts in flows.items():
            for kind in ("entered", *EXITS):
                totals[stage][kind] += counts[kind, day]
            left = sum(totals[stage][kind] for kind in EXITS)
            assert totals[stage]["entered"] == left + there[stage]
    cohorts = warehouse.rows("""
        select stage_id, sum(entered) as entered, sum(advanced + lost + moved_back + handed_off) as left_it,
            sum(still_there) as still_there
        from cohort_stage_conversion group by stage_id
    """)
    for cohort in cohorts:
        assert cohort["entered"] == totals[cohort["stage_id"]]["entered"] == cohort["left_it"] + cohort["still_there"]


@on_companies
@given(extracts=companies(), data=st.data())
def test_rows_in_another_order_give_the_same_facts(warehouse: Warehouse, extracts: Company, data: st.DataObject):
    built = build(warehouse, extracts)
    order = random.Random(data.draw(st.integers(0, 2**16))).choice
    again = Company(*(shuffled(order, rows) for rows in (extracts.deals, extracts.stage_changes, extracts.stages)))
    assert build(warehouse, again) == built


@on_companies
@given(extracts=companies(min_deals=1))
def test_small_companies_have_the_visits_that_the_rules_give(warehouse: Warehouse, extracts: Company):
    assert_same_visits(facts(build(warehouse, extracts)), extracts)


# -- on one company of a thousand deals


@pytest.fixture(scope="module")
def thousand() -> Company:
    return company(random.Random(1).choice, 1000)


def test_a_thousand_deals_have_the_visits_that_the_rules_give(warehouse: Warehouse, thousand: Company):
    assert_same_visits(facts(build(warehouse, thousand)), thousand)


def test_a_new_owner_ends_no_stay(warehouse: Warehouse, thousand: Company):
    of_one_owner = Company(
        [{**deal, "owner_id": "u1"} for deal in thousand.deals],
        [{**change, "changed_by": "u1"} for change in thousand.stage_changes],
        thousand.stages,
    )
    assert facts(build(warehouse, of_one_owner)) == facts(build(warehouse, thousand))


def test_a_thousand_deals_hold_every_oddity(thousand: Company):
    """The judge is only as good as the histories it is shown."""
    lives = visits(thousand.deals, thousand.stage_changes, thousand.stages)
    deals = {f"generic:{deal['deal_id']}": deal for deal in thousand.current_deals}
    log = defaultdict(list)
    for change in thousand.stage_changes:
        log[f"generic:{change['deal_id']}"].append(change)
    named = {(pipeline, name) for pipeline, stages in PIPELINES.items() for name, _ in stages}
    stays = [stay for life in lives.values() for stay in life]
    seen = {
        **{exit_type: sum(stay.exit_type == exit_type for stay in stays) for exit_type in EXITS},
        "re-entered": sum(len({stay.stage_id for stay in life}) < len(life) for life in lives.values()),
        "moments of no length": sum(stay.entered_at == stay.exited_at for stay in stays),
        "deleted": sum(bool(deal["is_deleted"]) for deal in deals.values()),
        "no log": sum(not log[deal] for deal in deals),
        "seen in several stages": sum(not log[deal] and len(lives.get(deal, [])) > 1 for deal in deals),
        "several moves in one moment": sum(
            len({row["changed_at"] for row in rows}) < len(rows) for rows in log.values()
        ),
        "there and back in one moment": sum(
            any(
                a["from_stage"] == b["to_stage"] != a["to_stage"] == b["from_stage"]
                and a["changed_at"] == b["changed_at"]
                for a, b in pairwise(rows)
            )
            for rows in log.values()
        ),
        "cut on the left": sum(
            rows[0]["from_stage"] is not None for deal, rows in log.items() if deal in deals and rows
        ),
        "no from": sum(
            any(row["from_stage"] is None for row in rows[1:]) for deal, rows in log.items() if deal in deals
        ),
        "re-saved": sum(row.get("from_stage") == row["to_stage"] for rows in log.values() for row in rows),
        "logged twice": sum(
            a["changed_at"] == b["changed_at"] and a["to_stage"] == b["to_stage"]
            for rows in log.values()
            for a, b in pairwise(rows)
        ),
        "recorded out of order": sum(
            a["recorded_at"] is not None and b["recorded_at"] is not None and a["recorded_at"] > b["recorded_at"]
            for rows in log.values()
            for a, b in pairwise(rows)
            if a["changed_at"] < b["changed_at"]
        ),
        "undefined": sum(
            tuple(stay.stage_id.split(":")[1:]) not in named and "(" not in stay.stage_id for stay in stays
        ),
        "closed before creation": sum(
            deal["closed_at"] is not None and deal["closed_at"] < deal["created_at"] for deal in deals.values()
        ),
        "won with no closing time": sum(
            deal["status"] == "won" and deal["closed_at"] is None for deal in deals.values()
        ),
        "reopened": sum(deal["status"] == "open" and deal["closed_at"] is not None for deal in deals.values()),
        "moved after the closing": sum(
            deal["closed_at"] is not None and any(row["changed_at"] > deal["closed_at"] for row in log[deal_id])
            for deal_id, deal in deals.items()
        ),
    }
    assert {name for name, count in seen.items() if count < 5} == set(), seen


# -- one deal each


def deal(**changes: Any) -> Row:
    plain = {"deal_id": "1", "pipeline": "sales", "stage": "Demo", "status": "open", "created_at": START}
    return {**plain, "_extracted_at": AS_OF, **changes}


def moves(*steps: tuple[str | None, str, datetime]) -> list[Row]:
    return [
        {"deal_id": "1", "from_stage": source, "to_stage": target, "changed_at": at, "_extracted_at": AS_OF}
        for source, target, at in steps
    ]


LATER = START + timedelta(days=3)


@pytest.mark.parametrize(
    ("pipeline", "log"),
    [
        pytest.param(
            "sales",
            moves((None, "Offer", START), ("Offer", "Demo", LATER), ("Demo", "Offer", LATER)),
            id="back and forth again",
        ),
        pytest.param(
            "sales",
            moves((None, "Lead", START), ("Lead", "Old name", LATER), ("Old name", "Offer", LATER)),
            id="through a stage that nobody defined",
        ),
        pytest.param(
            "delivery",
            moves((None, "Lead", START), ("Lead", "Demo", LATER), ("Demo", "Contract", LATER)),
            id="in the pipeline before the last",
        ),
    ],
)
def test_moves_of_one_moment_begin_where_the_one_before_ended(warehouse: Warehouse, pipeline: str, log: list[Row]):
    extracts = Company([deal(pipeline=pipeline)], log, company(random.Random(0).choice, 0).stages)
    assert_same_visits(facts(build(warehouse, extracts)), extracts)


@pytest.mark.parametrize("status", ["open", "won"])
def test_a_deal_without_a_log_is_where_it_is_since_it_was_first_seen_there(warehouse: Warehouse, status: str):
    first_seen, edited = AS_OF - timedelta(days=9), AS_OF
    versions = [
        deal(status=status, amount=100, _extracted_at=first_seen, _superseded_at=edited),
        deal(status=status, amount=120, _extracted_at=edited),
    ]
    (stay,) = build(warehouse, Company(versions, [], company(random.Random(0).choice, 0).stages))
    assert stay["entered_at"] == first_seen


# -- two nights


@pytest.mark.slow
@pytest.mark.judge
def test_a_history_that_comes_in_two_halves_gives_the_facts_of_one_that_comes_at_once(models: Models):
    """A first night, then an incremental one, against one full build on all that has landed, and the reference."""
    extracts = Extracts(models.settings)  # dbt has read the project for this folder already
    choose = random.Random(2).choice
    whole = company(choose, 1000)
    first, second = "2026-06-29", "2026-06-30"
    last_sight = whole.current_deals
    fate = {row["deal_id"]: choose(["moves", "moves", "is edited", "stays"]) for row in last_sight}
    log: dict[str, list[Row]] = {first: [], second: []}
    for row in shuffled(choose, whole.stage_changes):
        log[choose([first, second])].append(row)  # of one deal, early moves may come late
    before = {
        "moves": {"status": "open", "closed_at": None, "stage": "Lead", "is_deleted": None},
        "is edited": {"amount": 100},
        "stays": {},
    }

    def write(name: str, rows: list[Row], day: str) -> None:
        columns = {column: None for row in rows for column in row if not column.startswith("_")}
        extracts.csv(name, [{column: row.get(column) for column in columns} for row in rows], day)

    def night() -> dict[str, list[Row]]:
        extracts.land()
        dbt(
            models.settings,
            "build",
            "--exclude-resource-type",
            "test",
            "unit_test",
            "--select",
            "+fct_stage_visits",
            "+fct_deals",
        )
        with duckdb.connect(str(models.settings.marts), read_only=True) as con:
            return {mart: as_rows(con.execute(sql)) for mart, sql in MARTS.items()}

    write("stages.csv", whole.stages, first)
    write("stage_changes.csv", log[first], first)
    write("deals.csv", [row | before[fate[row["deal_id"]]] for row in last_sight], first)
    after_first = night()
    write("stage_changes.delta.csv", log[second], second)
    write("deals.delta.csv", [row for row in last_sight if fate[row["deal_id"]] != "stays"], second)
    in_two_nights = night()

    landed = {}
    with duckdb.connect(str(models.settings.warehouse), read_only=True) as con:
        for name, table in LANDED.items():
            landed[name] = as_rows(con.execute(f"select * from {table}"))
    one_night = models.warehouse("fct_deals", given=LANDED)
    one_night.build(landed)
    at_once = {mart: one_night.rows(sql) for mart, sql in MARTS.items()}
    assert in_two_nights == at_once
    assert all(in_two_nights[mart] != after_first[mart] for mart in MARTS)

    lives = by_deal(one_night.rows("select * from fct_stage_visits order by deal_id, visit_number"))
    assert_same_visits(
        facts(row for life in lives.values() for row in life), replace(whole, deals=landed["generic.deals"])
    )

    unlogged = fate.keys() - {row["deal_id"] for row in whole.stage_changes}
    assert any(fate[deal] == "moves" and len(lives.get(f"generic:{deal}", [])) == 2 for deal in unlogged)
    edited = {f"generic:{deal}" for deal in unlogged if fate[deal] == "is edited"} & lives.keys()
    assert edited
    first_stays, stays = (facts(night["fct_stage_visits"]) for night in (after_first, in_two_nights))
    assert {deal: first_stays[deal] for deal in edited} == {deal: stays[deal] for deal in edited}
