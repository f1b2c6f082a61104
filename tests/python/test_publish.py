"""Publication is one step: readers see one whole publication or the other, at every moment."""

import multiprocessing
import os
from pathlib import Path

import duckdb
import pytest

from orchestration.defs.publish.publish import PublicationError, current, publish
from orchestration.settings import Settings


def make_marts(settings: Settings, version: int) -> None:
    """Two marts that both say which version they are; `_load_id` is technical."""
    settings.marts.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.marts)) as con:
        for name in ("fct_a", "fct_b"):
            con.execute(
                f"create or replace table {name} as select i, {version} as version, {version} as _load_id "
                "from range(20000) t(i)"
            )
        con.execute("comment on column fct_a.version is 'Which night.'")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("create schema if not exists staging")
        con.execute("create or replace table staging.stg_as_of as select timestamp '2026-01-01' as as_of")


def test_publication_holds_the_marts_and_says_what_it_is(settings: Settings):
    make_marts(settings, 1)
    with duckdb.connect(str(settings.marts)) as con:
        con.execute("create table left_by_a_model_that_is_gone as select 1 as x")
    publish(settings, ["fct_a", "fct_b"], run_id="r", checks_passed=3)
    with duckdb.connect(str(settings.published_database), read_only=True) as con:
        tables = {row[0] for row in con.execute("show tables").fetchall()}
        assert tables == {"fct_a", "fct_b", "publication", "publication_columns"}
        assert con.execute("select table_name, row_count, checks_passed from publication order by 1").fetchall() == [
            ("fct_a", 20000, 3),
            ("fct_b", 20000, 3),
        ]
        columns = con.execute(
            "select column_name, comment from duckdb_columns() where table_name = 'fct_a' order by column_index"
        ).fetchall()
        assert columns == [("i", None), ("version", "Which night.")]
    parquet = settings.published / "parquet" / "fct_a.parquet"
    assert duckdb.sql(f"select count(*), min(version) from '{parquet}'").fetchone() == (20000, 1)


def test_drivers_from_1_0_on_can_open_the_file(settings: Settings):
    make_marts(settings, 1)
    publish(settings, ["fct_a"], run_id="r", checks_passed=0)
    with duckdb.connect(str(settings.published_database), read_only=True) as con:
        (tags,) = con.execute("select tags from duckdb_databases() where database_name = 'inflight'").fetchone()
    assert tags["storage_version"].startswith("v1.0.0")


def test_the_same_content_has_the_same_hash_and_other_content_another(settings: Settings):
    hashes = []
    for version in (1, 1, 2):
        make_marts(settings, version)
        publish(settings, ["fct_a", "fct_b"], run_id="r", checks_passed=0)
        with duckdb.connect(str(settings.published_database), read_only=True) as con:
            hashes.append(con.execute("select content_hash from publication where table_name = 'fct_a'").fetchone())
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        (0.1 + 0.2, 0.3, True),
        (1e62, 1e62 * (1 + 1e-12), True),
        (1e62, 1e64, False),  # beyond a float
        (1e62, -1e62, False),
        (0.0, 1e-9, False),
        (0.0, None, False),
        (float("inf"), 1e300, False),
    ],
)
def test_a_double_of_any_size_counts_for_the_hash_but_for_its_last_digits(settings: Settings, before, after, is_same):
    hashes = []
    for value in (before, after):
        make_marts(settings, 1)
        with duckdb.connect(str(settings.marts)) as con:
            con.execute("create or replace table fct_a as select ?::double as x, 0.0::double as nothing", [value])
        publish(settings, ["fct_a"], run_id="r", checks_passed=0)
        with duckdb.connect(str(settings.published_database), read_only=True) as con:
            hashes.append(con.execute("select content_hash from publication where table_name = 'fct_a'").fetchone())
    assert (hashes[0] == hashes[1]) is is_same


def test_a_table_that_did_not_change_is_not_written_again(settings: Settings):
    inodes = []
    for _ in range(2):
        make_marts(settings, 1)
        publish(settings, ["fct_a"], run_id="r", checks_passed=0)
        inodes.append(os.stat(settings.published / "parquet" / "fct_a.parquet").st_ino)
    assert inodes[0] == inodes[1]


@pytest.mark.parametrize("statement", ["create view fct_c as select 1 as x", "select 1"])
def test_a_mart_that_is_no_table_stops_the_publication_and_the_last_one_stays(settings: Settings, statement):
    make_marts(settings, 1)
    publish(settings, ["fct_a"], run_id="first", checks_passed=0)
    with duckdb.connect(str(settings.marts)) as con:
        con.execute(statement)
    with pytest.raises(PublicationError, match="fct_c is"):
        publish(settings, ["fct_a", "fct_c"], run_id="second", checks_passed=0)
    assert current(settings).publication_id.endswith("first")


def test_what_a_killed_run_left_half_built_is_never_seen(settings: Settings):
    make_marts(settings, 1)
    half = settings.published / "releases" / "20260101-killed.building"
    half.mkdir(parents=True)
    (half / "inflight.duckdb").write_bytes(b"half a file")
    assert current(settings) is None
    publish(settings, ["fct_a"], run_id="r", checks_passed=0)
    assert not half.exists()


def read_in_a_loop(database: str, parquet: str, stop, failures, reads) -> None:
    """Open the published file again and again, as BI does; report errors and mixes of two publications."""
    while not stop.is_set():
        try:
            with duckdb.connect(database, read_only=True) as con:
                versions = con.execute(
                    "select count(distinct version), count(*) "
                    "from (select version from fct_a union all select version from fct_b)"
                ).fetchone()
                hashes = con.execute("select count(distinct publication_id) from publication").fetchone()
            one = duckdb.sql(f"select count(distinct version), count(*) from '{parquet}'").fetchone()
            if versions != (1, 40000) or hashes != (1,) or one != (1, 20000):
                failures.put(f"mix: {versions} {hashes} {one}")
            with reads.get_lock():
                reads.value += 1
        except Exception as error:
            failures.put(repr(error))


def test_a_reader_in_a_loop_through_20_publications_sees_no_error_and_no_mix(settings: Settings):
    make_marts(settings, 0)
    publish(settings, ["fct_a", "fct_b"], run_id="r", checks_passed=0)
    spawn = multiprocessing.get_context("spawn")
    stop, failures, reads = spawn.Event(), spawn.Queue(), spawn.Value("i", 0)
    parquet = settings.published / "parquet" / "fct_a.parquet"
    reader = spawn.Process(
        target=read_in_a_loop, args=(str(settings.published_database), str(parquet), stop, failures, reads)
    )
    reader.start()
    try:
        while reads.value == 0 and failures.empty() and reader.is_alive():
            pass
        for version in range(1, 21):
            make_marts(settings, version)
            publish(settings, ["fct_a", "fct_b"], run_id="r", checks_passed=0)
    finally:
        stop.set()
        reader.join(timeout=30)
    assert failures.empty(), failures.get()
    assert reads.value > 20
    assert len(list((settings.published / "releases").iterdir())) == 2


def test_the_published_file_leaves_no_write_ahead_log(settings: Settings):
    make_marts(settings, 1)
    publish(settings, ["fct_a"], run_id="r", checks_passed=0)
    assert not list(Path(settings.published).rglob("*.wal"))
