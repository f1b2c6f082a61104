"""Whole nights, run as a user runs them."""

import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from bench.kill import hashes as published_hashes
from orchestration.sample.extracts import write_extracts
from orchestration.settings import Settings
from tests.python.conftest import NIGHT_1, NIGHT_2, inflight
from tests.python.models import dbt

pytestmark = pytest.mark.slow


@pytest.fixture
def data(first_night: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first_night, tmp_path / "data", symlinks=True))


def query(data: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(data / "published" / "inflight.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def publication(data: Path) -> list[tuple]:
    return query(data, "select distinct publication_id from publication")


def test_what_tells_the_same_is_ranked_by_name_and_not_by_the_last_bit_of_a_sum(first_night: Path):
    """A step and its indicator may have the same figures, summed in another order."""
    [(swapped,)] = query(
        first_night,
        """
        select count(*) from win_loss_contrast as one
        inner join win_loss_contrast as other
            on one.segment = other.segment and one.landmark = other.landmark and one.contrast_rank < other.contrast_rank
        where abs(one.difference_low - other.difference_low) < 1e-12
            and (one.kind, one.thing) > (other.kind, other.thing)
        """,
    )
    assert swapped == 0


def test_the_published_deals_are_those_of_the_extracts(first_night: Path, world):
    known = query(
        first_night, "select count(*), count(*) filter (status = 'won') from dim_deals where crm = 'generic'"
    )[0]
    extract = next((first_night / "extracts" / "generic").rglob("deals.*"))
    told = duckdb.sql(
        f"select count(*), count(*) filter (status = 'won') from '{extract}' "
        "where not coalesce(is_deleted::boolean, false)"
    ).fetchone()
    assert known == told


def test_a_night_without_news_leaves_the_publication(data: Path):
    shown = publication(data)
    night = inflight(data, "nightly")
    assert "the same inputs" in night.stderr
    assert publication(data) == shown


@pytest.mark.judge
def test_a_night_that_is_not_skipped_without_news_publishes_the_same(data: Path):
    before, shown = published_hashes(data), publication(data)
    inflight(data, "nightly", "--accept")
    assert publication(data) != shown
    assert published_hashes(data) == before
    assert query(
        data, "select sum(rows_in_file - rows_landed - rows_set_aside - rows_repeated) from landing_files"
    ) == [(0,)]


def second_night(data: Path, world) -> Path:
    """What the second night brings; returns the path of its deals."""
    folder = data / "extracts" / "generic"
    write_extracts(world, folder, NIGHT_2, since=NIGHT_1)
    path = folder / f"{NIGHT_2:%F}" / "deals.csv"
    # whole, as those of a first night: a full extract
    write_extracts(world, data / "whole", NIGHT_2)
    shutil.copyfile(data / "whole" / f"{NIGHT_2:%F}" / "deals.csv", path)
    shutil.rmtree(data / "whole")
    return path


def test_a_bad_extract_never_reaches_bi_and_mended_it_does(data: Path, world):
    before, shown = published_hashes(data), publication(data)
    path = second_night(data, world)
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole[: len(whole) // 10]))
    night = inflight(data, "nightly", check=False)
    assert night.returncode == 1
    assert f"generic/{NIGHT_2:%F}/deals.csv: a full extract must hold at least 50% of the rows" in night.stderr
    assert "BI still shows publication" in night.stderr
    assert publication(data) == shown
    assert published_hashes(data) == before
    path.write_text("".join(whole))
    night = inflight(data, "nightly")
    assert "full build" not in night.stderr
    assert query(data, "select count(*) from landing_files where status = 'refused'") == [(0,)]
    assert query(data, "select max(as_of)::date::varchar from publication") == [(f"{NIGHT_2:%F}",)]
    assert (
        query(data, "select count(*) from dim_deals where crm = 'generic'")
        == duckdb.sql(f"select count(*) from '{path}' where not coalesce(is_deleted::boolean, false)").fetchall()
    )


@pytest.mark.judge
def test_a_second_night_refused_and_mended_publishes_what_one_with_everything_does(data: Path, at_once: Path, world):
    path = second_night(data, world)
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 10])
    assert inflight(data, "nightly", check=False).returncode == 1
    path.write_text(whole)
    inflight(data, "nightly")
    in_two, in_one = published_hashes(data), published_hashes(at_once)
    # what was said on a night is kept and judged, and of one night there is less
    kept = {name for name in in_two if name.endswith("_history")} | {"nowcast_quality"}
    differ = {name for name in in_two if in_two[name] != in_one[name] and not name.startswith("landing_")}
    assert differ - kept == set()


# What no log of this CRM tells: when a deadline was moved, when a competitor was seen.
NOT_LOGGED = {
    "dim_deals": ["competitor"],
    "loss_autopsy": ["competitor"],
    "fct_journey_steps": ["task_due_at", "was_deadline_moved"],
}


@pytest.mark.judge
def test_a_night_as_of_an_earlier_day_publishes_what_was_published_then(
    at_once: Path, first_night: Path, tmp_path: Path
):
    """The only extract is a month younger than the day; the night of that day had an extract of its own."""
    data = tmp_path / "data"
    shutil.copytree(at_once / "extracts", data / "extracts")
    inflight(data, "nightly", "--as-of", f"{NIGHT_1:%F}")
    assert not (data / "published").exists()
    looked_back = data / "as_of" / f"{NIGHT_1:%F}"
    compared = 0
    with duckdb.connect() as con:
        for name, folder in {"looked_back": looked_back, "shown_then": first_night}.items():
            con.execute(f"attach '{folder / 'published' / 'inflight.duckdb'}' as {name} (read_only)")
        for table in published_hashes(first_night).keys() - {"landing_files"}:
            if table in NOT_LOGGED:
                columns = con.execute(f"describe shown_then.{table}").fetchall()
                replaced = [f"null as {name}" for name in NOT_LOGGED[table]]
                # a sum's last digits depend on the order in which it was added up
                replaced += [f"round({name}, 9) as {name}" for name, kind, *_ in columns if kind == "DOUBLE"]
                rows = f"select * replace ({', '.join(replaced)}) from {{}}.{table}"
                one, other = rows.format("looked_back"), rows.format("shown_then")
                differ = con.execute(f"(({one}) except all ({other})) union all (({other}) except all ({one}))")
                assert differ.fetchall() == [], table
            else:
                assert published_hashes(looked_back)[table] == published_hashes(first_night)[table], table
            compared += con.execute(f"select count(*) from looked_back.{table}").fetchone()[0]
        known = con.execute("select count(task_due_at), count(was_deadline_moved) from looked_back.fct_journey_steps")
        assert min(known.fetchone()) > 0
    assert compared > 10000


def test_every_unit_test_of_the_models_holds(data: Path):
    assert " ERROR=0 " in dbt(Settings(data), "test", "--select", "test_type:unit")


def test_a_deadline_that_passes_without_news_of_the_deal_makes_its_step_overdue(data: Path):
    later = ("--vars", f"as_of: '{NIGHT_1 + timedelta(days=3)}'")

    def steps() -> dict[str, tuple]:
        with duckdb.connect(str(data / "warehouse" / "marts.duckdb"), read_only=True) as con:
            return {row[0]: row[1:] for row in con.execute("select * from fct_journey_steps").fetchall()}

    before = steps()
    dbt(Settings(data), "run", "--select", "stg_as_of", "int_deals_touched", "fct_journey_steps", *later)
    after = steps()
    changed = [(before[step], after[step]) for step in after if before[step] != after[step]]
    assert changed
    assert all("not_yet_due" in old and "overdue" in new for old, new in changed)
    dbt(Settings(data), "run", "--select", "fct_journey_steps", "--full-refresh", *later)
    assert after == steps()


@pytest.mark.judge
def test_one_sql_file_with_yaml_becomes_an_asset_with_checks_and_a_published_table(at_once: Path):
    lost = query(
        at_once, "select (select count(*) from fct_losses), (select count(*) from fct_deals where status = 'lost')"
    )
    assert lost[0][0] == lost[0][1] > 0
    assert (at_once / "published" / "parquet" / "fct_losses.parquet").exists()
    assert "unique_fct_losses_deal_id" in (at_once / "nightly.log").read_text()
    assert query(at_once, "select count(*) from publication where table_name = 'fct_losses'") == [(1,)]
    assert (at_once / "quality" / "gate_2").exists()


def test_two_nights_at_once_are_refused(data: Path):
    import fcntl

    with (data / "nightly.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        night = inflight(data, "nightly", check=False)
    assert night.returncode == 1
    assert "is at work on" in night.stderr


def test_an_empty_data_folder_says_what_to_do(tmp_path: Path):
    night = inflight(tmp_path / "nothing", "nightly", check=False)
    assert night.returncode == 1
    assert "inflight sample" in night.stderr
