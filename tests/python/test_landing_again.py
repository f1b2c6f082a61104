"""What is landed a second time: late files, retries, entities that stay away, columns under new names."""

from datetime import date, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.defs.landing import discovery, freshness, load
from orchestration.defs.landing.contract import Table
from orchestration.defs.landing.land import open_warehouse
from orchestration.defs.landing.retry import Retried, retry
from orchestration.settings import Settings
from tests.python.conftest import Extracts, contract, inflight

COLUMNS = {"id": {"data_type": "varchar", "required": True}, "stage": "varchar", "on": "date", "edited": "integer"}


@pytest.fixture
def files(settings: Settings) -> Extracts:
    return Extracts(settings, "x")


def retried(files: Extracts, contracts: tuple[Table, ...]) -> list[Retried]:
    with open_warehouse(files.settings) as con:
        return retry(con, files.settings, contracts)


def history(files: Extracts) -> list[tuple]:
    """(day, id, stage) of what was in force at the end of each day."""
    return files.query("""
        with days as (select unnest(generate_series(date '2026-01-01', date '2026-01-06', interval 1 day)) as day)
        select day::date::varchar, id, stage
        from days inner join raw_x.deals
            on _extracted_at < day + interval 1 day
            and (_superseded_at is null or _superseded_at >= day + interval 1 day)
        order by all
    """)


days = st.dictionaries(st.integers(1, 6), st.tuples(*[st.sampled_from(["a", "b"])] * 3), min_size=2, max_size=6)


@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stages=days, data=st.data(), deltas=st.sets(st.integers(1, 6)), rows_at_once=st.integers(1, 4))
def test_history_does_not_depend_on_the_order_in_which_files_arrive_nor_on_how_many_rows_are_compared_at_once(
    tmp_path_factory, stages, data, deltas, rows_at_once
):
    contracts = contract(tmp_path_factory.mktemp("contract"), COLUMNS, key=["id"])
    histories = []
    for order, at_once in ((sorted(stages), 100), (data.draw(st.permutations(sorted(stages))), rows_at_once)):
        files = Extracts(Settings(tmp_path_factory.mktemp("arrivals")), "x")
        for day in order:
            name = "deals.delta.csv" if day in deltas else "deals.csv"
            rows = "".join(f"{number},{stage}\n" for number, stage in enumerate(stages[day]))
            files.text(name, f"id,stage\n{rows}", f"2026-01-0{day}")
            with mock.patch.object(load, "ROWS_AT_ONCE", at_once):
                files.land(contracts=contracts)
        histories.append(history(files))
    assert histories[0] == histories[1]


def test_a_late_file_says_what_it_cannot_be_compared_with(files: Extracts, tmp_path: Path):
    contracts = contract(tmp_path, COLUMNS, key=["id"])
    files.text("deals.csv", "id,stage\n1,a\n", "2026-01-01")
    newest = files.text("deals.csv", "id,stage\n1,a\n2,c\n", "2026-01-03")
    files.land(contracts=contracts)
    newest.unlink()
    files.text("deals.csv", "id,stage\n1,b\n", "2026-01-02")
    (outcome,) = files.land(contracts=contracts)
    assert outcome.status == "landed"
    assert "older than x/2026-01-03/deals.csv, which cannot be read again" in outcome.reason


def test_a_retry_lands_what_fits_the_mended_contract_and_rows_still_add_up(files: Extracts, tmp_path: Path):
    first = contract(tmp_path, COLUMNS, key=["id"])
    files.text("deals.csv", "id,stage,on,colour\n1,a,05.01.2026,red\n4,d,06.01.2026\n3,c,soon,\n2,b,2026-01-05,\n")
    (outcome,) = files.land(contracts=first)
    assert (outcome.rows_landed, outcome.rows_set_aside) == (1, 3)
    assert [done.rows_landed for done in retried(files, first)] == [0]

    mended = contract(tmp_path, COLUMNS, key=["id"], date_formats=["iso", "%d.%m.%Y"])
    (done,) = retried(files, mended)
    assert (done.rows_landed, done.rows_repeated, done.rows_left) == (1, 0, 2)
    rows = files.query('select id, "on", _extra, _extracted_at::date from raw_x.deals order by 1')
    assert rows == [
        ("1", date(2026, 1, 5), '{"colour":"red"}', date(2026, 1, 31)),
        ("2", date(2026, 1, 5), None, date(2026, 1, 31)),
    ]
    counted = "status, rows_in_file, rows_landed, rows_set_aside, rows_repeated, is_accepted"
    assert files.query(f"select {counted} from landing.files order by load_id") == [
        ("landed", 4, 2, 2, 0, True),
        ("retried", 0, 0, 0, 0, True),
    ]
    assert files.query("select line from landing.rejects order by 1") == [(3,), (4,)]
    assert files.land(contracts=mended) == []


def test_a_retry_is_as_old_as_its_file(files: Extracts, tmp_path: Path):
    """What later files showed stays: neither their changes nor what they said again are overruled."""
    first = contract(tmp_path, COLUMNS, key=["id"])
    files.text("deals.csv", "id,stage,on\n1,a,\n2,a,\n", "2026-01-01")
    files.text("deals.csv", "id,stage,on\n1,b,05.01.2026\n2,b,05.01.2026\n", "2026-01-02")
    files.text("deals.csv", "id,stage,on\n1,c,\n2,a,\n", "2026-01-03")
    files.land(contracts=first)
    (done,) = retried(files, contract(tmp_path, COLUMNS, key=["id"], date_formats=["%d.%m.%Y"]))
    assert done.rows_landed == 2
    assert [(day[-1:], key, stage) for day, key, stage in history(files) if day < "2026-01-04"] == [
        ("1", "1", "a"),
        ("1", "2", "a"),
        ("2", "1", "b"),
        ("2", "2", "b"),
        ("3", "1", "c"),
        ("3", "2", "a"),
    ]


def test_a_retry_never_replaces_a_newer_row_of_the_same_key(files: Extracts, tmp_path: Path):
    meta = {"key": ["id"], "latest_by": "edited"}
    rows = ["1,new,,2", "1,old,05.01.2026,1", "2,old,,1", "2,new,05.01.2026,2", "3,old,,1", "3,new,,2"]
    files.text("deals.csv", "id,stage,on,edited\n" + "".join(f"{row}\n" for row in rows))
    files.land(contracts=contract(tmp_path, COLUMNS, **meta))
    (done,) = retried(files, contract(tmp_path, COLUMNS, date_formats=["%d.%m.%Y"], **meta))
    assert (done.rows_landed, done.rows_left) == (1, 2)
    in_force = "select id, stage from raw_x.deals where _superseded_at is null order by 1"
    assert files.query(in_force) == [("1", "new"), ("2", "new"), ("3", "new")]


def test_a_retried_event_lands_once(files: Extracts, tmp_path: Path):
    first = contract(tmp_path, COLUMNS)
    files.text("deals.csv", "id,on\n1,05.01.2026\n1,05.01.2026\n2,2026-01-05\n", "2026-01-01")
    files.text("deals.csv", "id,on\n1,05.01.2026\n2,2026-01-05\n", "2026-01-02")
    files.land(contracts=first)
    done = retried(files, contract(tmp_path, COLUMNS, date_formats=["iso", "%d.%m.%Y"]))
    assert [(each.rows_landed, each.rows_repeated, each.rows_left) for each in done] == [(1, 1, 0), (0, 1, 0)]
    assert files.query("select id from raw_x.deals order by 1") == [("1",), ("2",)]


def test_what_gate_1_has_not_accepted_is_not_retried(files: Extracts, tmp_path: Path):
    files.text("deals.csv", "id,on\n1,05.01.2026\n")
    files.land(contracts=contract(tmp_path, COLUMNS), accepted=False)
    assert retried(files, contract(tmp_path, COLUMNS, date_formats=["%d.%m.%Y"])) == []


def test_an_entity_that_stays_away_is_told_and_blocks_only_beyond_its_limit(files: Extracts, tmp_path: Path):
    def found(**limits) -> list[tuple]:
        tables = contract(tmp_path, COLUMNS, **limits)
        tables += (Table("x", "tasks", "raw_x", tables[0].columns),)
        for entity, day in (("deals", "2026-01-01"), ("tasks", "2026-01-01"), ("tasks", "2026-01-03")):
            files.text(f"{entity}.csv", f"id\n{day}\n", day)
        files.land(contracts=tables)
        query = f"select entity, is_warned, hours_over_limit > 0 from ({freshness.sql(tables)}) where is_warned"
        with open_warehouse(files.settings) as con:
            return [(*row, len(freshness.late(con, tables))) for row in con.execute(query).fetchall()]

    assert found() == [("deals", True, None, 1)]
    assert found(freshness={"warn_after": {"count": 3, "period": "day"}}) == []
    assert found(freshness={"error_after": {"count": 3, "period": "day"}}) == [("deals", True, False, 1)]
    assert found(freshness={"error_after": {"count": 47, "period": "hour"}}) == [("deals", True, True, 1)]


def test_a_renamed_column_is_said_with_the_name_that_it_may_have_now(files: Extracts, tmp_path: Path):
    columns = {**COLUMNS, "owner": "varchar", "amount": "decimal(18,2)"}
    contracts = contract(tmp_path, columns, key=["id"])
    row = "1,a,2026-01-05,Ann Lee,5.00"
    files.text("deals.csv", f"id,stage,on,owner,amount\n{row}\n", "2026-01-01")
    files.text("deals.csv", f"id,stage,due,deal_owner,amount_text\n{row.replace('5.00', 'much')}\n", "2026-01-02")
    files.text("deals.csv", f"deal id,stage,on,owner,amount\n{row}\n", "2026-01-03")
    _, renamed, refused = files.land(contracts=contracts)
    assert (renamed.status, renamed.may_be_now) == ("landed", ["owner: deal_owner"])
    assert set(renamed.missing_columns) == {"on", "owner", "amount", "edited"}
    assert "column id is missing" in refused.reason
    assert "id may be called deal id now" in refused.reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "x/2026-01-01/dael.csv",
            "no entity is called 'dael', the file's name starts with none of deals; did you mean deals?",
        ),
        ("y/deals.csv", "no CRM is called 'y': put the file under extracts/<x>/"),
        ("x/deals_2999-01-01.csv", "dated 2999-01-01 23:59:59, which is still to come"),
        ("x/deals_20990101.csv", "dated 2099-01-01 23:59:59, which is still to come"),
    ],
)
def test_a_file_whose_name_makes_no_sense_is_told_what_may_be_meant(files: Extracts, tmp_path: Path, name, reason):
    path = files.settings.extracts / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id\n1\n")
    (outcome,) = files.land(contracts=contract(tmp_path, COLUMNS))
    assert outcome.status in ("ignored", "refused")
    assert reason in outcome.reason


def test_an_extract_may_be_a_day_ahead_of_this_machines_clock(files: Extracts, tmp_path: Path):
    path = files.text("deals.csv", "id\n1\n", "2026-03-02")
    for now, problems in ((datetime(2026, 3, 2), 0), (datetime(2026, 3, 1) - timedelta(seconds=1), 1)):
        found = discovery.find_extracts(path.parents[2], contract(tmp_path, COLUMNS), now)
        assert sum(file.problem is not None for file in found) == problems


@pytest.mark.parametrize(
    ("stem", "time"),
    [
        ("deals_2026-06-30", "2026-06-30 23:59:59.999999"),
        ("deals_20260630", "2026-06-30 23:59:59.999999"),
        ("deals-20260630T0215", "2026-06-30 02:15:00"),
        ("Deals 2026-06-30_02-15-30", "2026-06-30 02:15:30"),
        ("DEALS.part2", "2026-01-31 23:59:59.999999"),
        ("deals (1)", "2026-01-31 23:59:59.999999"),
        ("deals__full", "2026-01-31 23:59:59.999999"),
    ],
)
def test_a_name_says_entity_and_time(files: Extracts, tmp_path: Path, stem, time):
    files.text(f"{stem}.csv", "id\n1\n")
    (file,) = discovery.find_extracts(files.settings.extracts, contract(tmp_path, COLUMNS))
    assert (file.problem, file.entity, str(file.extracted_at)) == (None, "deals", time)


def test_a_column_that_the_contract_learns_moves_out_of_the_extras(files: Extracts, tmp_path: Path):
    few = {"id": COLUMNS["id"]}
    files.text("deals.csv", "ID,Due Date,phone\n1,05.01.2026,7\n2,soon,\n", "2026-01-01")
    files.land(contracts=contract(tmp_path, few, key=["id"]))
    more = {**few, "due_date": {"data_type": "date", "date_formats": ["%d.%m.%Y"]}}
    contracts = contract(tmp_path, more, key=["id"])
    files.text("deals.csv", "ID,Due Date,phone\n1,05.01.2026,7\n", "2026-01-02")
    (outcome,) = files.land(contracts=contracts)
    assert outcome.rows_repeated == 1  # the same row as before the contract knew the column
    assert files.query("select id, due_date, _extra from raw_x.deals order by 1") == [
        ("1", date(2026, 1, 5), '{"phone":"7"}'),
        ("2", None, '{"Due Date":"soon"}'),
    ]


def test_the_command_line_says_what_was_set_aside_and_lands_it_again(settings: Settings):
    files = Extracts(settings)
    files.csv("users.csv", [{"user_id": "1", "user_name": "Ann"}], "2026-01-01")
    files.csv("contacts.csv", [{"contact_id": "1"}], "2026-01-01")
    files.csv("users.csv", [{"user_id": "1", "full_user_name": "Ann", "is_active": "maybe"}], "2026-01-02")
    files.text("user.csv", "x\n", "2026-01-02")
    files.land()
    told = inflight(settings.data, "status").stdout
    for line in (
        "ignored: generic/2026-01-02/user.csv: no entity is called 'user'",
        "did you mean users?",
        "not delivered: generic/contacts was last delivered 2026-01-01, other extracts are of 2026-01-02",
        "renamed? generic/2026-01-02/users.csv: column user_name is missing; full_user_name may be it",
        "generic/2026-01-02/users.csv: is_active: not a boolean (1 rows, first in line 2, value 'maybe')",
    ):
        assert line in told, told
    files.query("""update landing.rejects set raw_text = replace(raw_text, 'maybe', 'yes')""")
    assert "1 rows landed, 0 stay aside" in inflight(settings.data, "retry").stderr
    assert "Set aside" not in inflight(settings.data, "status").stdout
