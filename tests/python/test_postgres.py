"""PostgreSQL shows one whole publication or the other: to every statement, and to every transaction."""

import threading
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pytest

from orchestration.defs.publish import deliver as deliveries
from orchestration.defs.publish import postgres as publishing
from orchestration.defs.publish.deliver import deliver
from orchestration.defs.publish.postgres import PostgresError, Sent
from orchestration.defs.publish.publish import publish
from orchestration.settings import Settings
from tests.python.postgres_server import PASSWORD, PASSWORD_IN_URL, Server, postgres  # noqa: F401
from tests.python.test_publish import make_marts

SCHEMA = "bi"
ODD = [
    "",
    "NULL",
    "\\N",
    "\\.",
    "a\n\\.\nb",
    'quote " and, comma',
    "back\\slash",
    "tab\there",
    "пример 🙂",
    "a\r\nb",
    " ",
]


@pytest.fixture
def server(postgres: Server):  # noqa: F811
    yield postgres
    with psycopg.connect(postgres.url, autocommit=True) as pg:
        for schema in (SCHEMA, f"{SCHEMA}__data", "others", "inflight", "inflight__data"):
            pg.execute(f"drop schema if exists {schema} cascade")


@pytest.fixture
def rows(server: Server) -> Callable[[str], list[tuple]]:
    def run(sql: str) -> list[tuple]:
        with psycopg.connect(server.url) as pg:
            return pg.execute(sql).fetchall()

    return run


def send(database: Path, url: str, schema: str) -> Sent:
    return publishing.send(database, url, schema, database.parents[3] / "postgres")


def night(settings: Settings, version: int, *more: str) -> Path:
    """Publish two marts that both say which version they are, and what `more` makes of them."""
    make_marts(settings, version)
    with duckdb.connect(str(settings.marts)) as con:
        for statement in more:
            con.execute(statement)
        names = [row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()]
    publish(settings, names, run_id="r", checks_passed=0)
    return settings.published_database.resolve()


def test_what_a_kill_left_on_its_way_goes_with_the_next_publication(settings: Settings, server: Server):
    left = settings.data / "postgres" / SCHEMA / "rows.csv"
    left.parent.mkdir(parents=True)
    left.write_text("somebody's name")
    send(night(settings, 1), server.url, SCHEMA)
    assert not left.exists()


def test_postgres_shows_the_values_types_and_descriptions_that_were_published(settings: Settings, server: Server, rows):
    database = night(
        settings,
        1,
        """create or replace table odd as select
            i, 1.25::decimal(18, 2) as amount, 0.1::double + 0.2 as ratio, true as is_x, date '2026-01-31' as on_day,
            timestamp '2026-01-31 23:59:59.999999' as at_time, null::varchar as nothing, 'a' || chr(0) || 'b' as nul
        from range(3) t(i)""",
        "create or replace table texts (n integer, value varchar)",
        *(f"insert into texts values ({n}, '{text.replace(chr(39), chr(39) * 2)}')" for n, text in enumerate(ODD)),
        "comment on table odd is 'Grain: one row per it''s 100% \\odd.'",
        "comment on column odd.amount is 'How \\much; and why.'",
    )
    send(database, server.url, SCHEMA)
    assert rows(f"select value from {SCHEMA}.texts order by n") == [(text,) for text in ODD]
    assert rows(f"select amount, ratio, is_x, on_day, at_time, nothing, nul from {SCHEMA}.odd where i = 0") == [
        (Decimal("1.25"), 0.1 + 0.2, True, date(2026, 1, 31), datetime(2026, 1, 31, 23, 59, 59, 999999), None, "ab")
    ]
    types = "select column_name, data_type from information_schema.columns where table_name = 'odd'"
    assert dict(rows(types)) == {
        "i": "bigint",
        "amount": "numeric",
        "ratio": "double precision",
        "is_x": "boolean",
        "on_day": "date",
        "at_time": "timestamp without time zone",
        "nothing": "text",
        "nul": "text",
    }
    described = f"select obj_description('{SCHEMA}.odd'::regclass), col_description('{SCHEMA}.odd'::regclass, 2)"
    assert rows(described) == [("Grain: one row per it's 100% \\odd.", "How \\much; and why.")]
    assert rows(f"select count(distinct publication_id), count(*) from {SCHEMA}.publication") == [(1, 4)]


def test_what_did_not_change_is_not_sent_again(settings: Settings, server: Server):
    first = send(night(settings, 1), server.url, SCHEMA)
    assert (first.tables_sent, first.tables_unchanged) == (4, 0)  # with publication and publication_columns
    assert send(settings.published_database, server.url, SCHEMA).tables_sent == 0
    changed = night(settings, 1, "insert into fct_a select 20000, 1, 1")
    assert send(changed, server.url, SCHEMA).tables_sent == 3


def test_a_table_that_is_gone_goes_and_those_of_others_stay(settings: Settings, server: Server, rows):
    send(night(settings, 1, "create table fct_old as select 1 as x"), server.url, SCHEMA)
    with psycopg.connect(server.url, autocommit=True) as pg:
        pg.execute(f"create table {SCHEMA}.my_notes (note text)")
    send(night(settings, 2, "drop table fct_old"), server.url, SCHEMA)
    tables = rows(f"select relname from pg_class where relnamespace = '{SCHEMA}'::regnamespace order by 1")
    assert [name for (name,) in tables] == ["fct_a", "fct_b", "my_notes", "publication", "publication_columns"]


def test_grants_and_the_views_of_others_last(settings: Settings, server: Server, rows):
    send(night(settings, 1), server.url, SCHEMA)
    with psycopg.connect(server.url, autocommit=True) as pg:
        pg.execute("drop role if exists reader; create role reader login password 'read'")
        pg.execute(f"grant usage on schema {SCHEMA} to reader")
        pg.execute(f"grant select on all tables in schema {SCHEMA} to reader")
        pg.execute("create schema others")
        pg.execute(f"create view others.versions as select distinct version from {SCHEMA}.fct_a")
    send(night(settings, 2, "alter table fct_b alter version type varchar"), server.url, SCHEMA)
    assert rows("select version from others.versions") == [(2,)]
    assert rows(f"select distinct version from {SCHEMA}.fct_b") == [("2",)]
    with psycopg.connect(server.url, user="reader", password="read") as pg:
        for table in ("fct_a", "fct_b", "publication"):
            assert pg.execute(f"select count(*) > 0 from {SCHEMA}.{table}").fetchall() == [(True,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pg.execute(f"select * from {SCHEMA}__data.fct_a")


def test_a_column_that_is_added_lets_the_views_of_others_be(settings: Settings, server: Server, rows):
    send(night(settings, 1), server.url, SCHEMA)
    with psycopg.connect(server.url, autocommit=True) as pg:
        pg.execute("create schema others")
        pg.execute(f"create view others.rows as select * from {SCHEMA}.fct_a")
    send(
        night(settings, 2, "create or replace table fct_a as select 7 as y, i, version from fct_a"), server.url, SCHEMA
    )
    assert rows("select distinct version from others.rows") == [(2,)]
    assert rows(f"select distinct version, y from {SCHEMA}.fct_a") == [(2, 7)]


def test_columns_that_go_from_under_a_view_of_others_stop_the_publication_whole(
    settings: Settings, server: Server, rows
):
    send(night(settings, 1), server.url, SCHEMA)
    with psycopg.connect(server.url, autocommit=True) as pg:
        pg.execute("create schema others")
        pg.execute(f"create view others.versions as select distinct version from {SCHEMA}.fct_a")
    changed = night(settings, 2, "alter table fct_a alter version type varchar")
    with pytest.raises(PostgresError, match=r"view others\.versions depends on view bi\.fct_a"):
        send(changed, server.url, SCHEMA)
    for table in ("fct_a", "fct_b"):
        assert rows(f"select distinct version from {SCHEMA}.{table}") == [(1,)]


class Reader(threading.Thread):
    """Reads in a loop, the way `read` does; keeps what was wrong."""

    def __init__(self, url: str, stop: threading.Event, read: Callable[[psycopg.Connection], set]) -> None:
        super().__init__(daemon=True)
        self.url, self.stop, self.read = url, stop, read
        self.seen: set = set()
        self.reads = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        with psycopg.connect(self.url) as pg:
            while not self.stop.is_set():
                try:
                    with pg.transaction():
                        versions = self.read(pg)
                    if len(versions) != 1:
                        self.wrong.append(f"mix of {versions}")
                    self.seen |= versions
                    self.reads += 1
                except psycopg.Error as error:
                    self.wrong.append(repr(error))


TABLES = ("fct_a", "fct_b", "publication")


def one_statement(pg: psycopg.Connection) -> set:
    """A join of everything, in one statement."""
    return set(
        pg.execute(
            f"select distinct version from (select version from {SCHEMA}.fct_a union all select version from "
            f"{SCHEMA}.fct_b union all select right(run_id, -1)::bigint from {SCHEMA}.publication) as all_of_it"
        ).fetchall()
    )


def several_statements(pg: psycopg.Connection) -> set:
    """Statement by statement at PostgreSQL's default level, where each sees what is there when it begins."""
    rows = []
    for name, version in zip(TABLES, ("version", "version", "right(run_id, -1)::bigint"), strict=True):
        rows += pg.execute(f"select distinct {version} from {SCHEMA}.{name}").fetchall()
        time.sleep(0.002)
    return set(rows)


def in_another_order(pg: psycopg.Connection) -> set:
    """The same, last table first: so two of them wait for each other if anybody does."""
    rows = []
    for name, version in reversed(list(zip(TABLES, ("version", "version", "right(run_id, -1)::bigint"), strict=True))):
        rows += pg.execute(f"select distinct {version} from {SCHEMA}.{name}").fetchall()
    return set(rows)


def with_an_old_snapshot(pg: psycopg.Connection) -> set:
    """A transaction that has looked at the clock, and at nothing of ours, before a publication may come."""
    pg.execute("set transaction isolation level repeatable read")
    pg.execute("select now()")
    time.sleep(0.05)
    return several_statements(pg)


def test_four_readers_in_a_loop_see_no_error_and_no_mix(settings: Settings, server: Server):
    def publish_version(version: int) -> None:
        make_marts(settings, version)
        publish(settings, ["fct_a", "fct_b"], run_id=f"v{version}", checks_passed=0)
        assert send(settings.published_database, server.url, SCHEMA).waited

    publish_version(0)
    stop = threading.Event()
    ways = (one_statement, several_statements, in_another_order, with_an_old_snapshot)
    readers = [Reader(server.url, stop, way) for way in ways]
    for reader in readers:
        reader.start()
    for version in range(1, 9):
        publish_version(version)
    stop.set()
    for reader in readers:
        reader.join(10)
    assert not [wrong for reader in readers for wrong in reader.wrong]
    assert min(reader.reads for reader in readers) > 8
    assert all(len(reader.seen) >= 4 for reader in readers), "readers ran while publications were exchanged"


def test_a_reader_that_never_ends_does_not_keep_others_from_the_new_rows(
    settings: Settings, server: Server, rows, monkeypatch
):
    monkeypatch.setattr(publishing, "READERS_SECONDS", 0.5)
    send(night(settings, 1), server.url, SCHEMA)
    with psycopg.connect(server.url) as idle:
        assert idle.execute(f"select distinct version from {SCHEMA}.fct_a").fetchall() == [(1,)]
        assert not send(night(settings, 2), server.url, SCHEMA).waited
        assert rows(f"select distinct version from {SCHEMA}.fct_a") == [(2,)]
        with pytest.raises(PostgresError, match="a reader's transaction has held them"):
            send(night(settings, 3, "alter table fct_a add column y integer"), server.url, SCHEMA)
    assert send(settings.published_database, server.url, SCHEMA).waited
    assert rows(f"select distinct version, y from {SCHEMA}.fct_a") == [(3, None)]


def test_a_publication_that_breaks_off_leaves_the_one_before(settings: Settings, server: Server, rows, monkeypatch):
    send(night(settings, 1), server.url, SCHEMA)
    changed = night(settings, 2)
    fill = publishing._fill

    def broken(con, pg, schema, name, *others, **more) -> None:
        fill(con, pg, schema, name, *others, **more)
        if name == "fct_b":
            raise psycopg.OperationalError("the server closed the connection")

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_fill", broken)
        with pytest.raises(PostgresError):
            send(changed, server.url, SCHEMA)
    for table in ("fct_a", "fct_b"):
        assert rows(f"select distinct version from {SCHEMA}.{table}") == [(1,)]
    send(changed, server.url, SCHEMA)
    assert rows(f"select distinct version from {SCHEMA}.fct_b") == [(2,)]


def test_a_server_that_is_down_is_said_stops_nothing_and_is_made_up_for(
    settings: Settings, server: Server, rows, monkeypatch
):
    said: list[str] = []
    monkeypatch.setattr(deliveries, "say", lambda step, text: said.append(text))
    monkeypatch.setenv(publishing.URL, server.url)
    night(settings, 1)
    server.stop()
    try:
        (problem,) = deliver(settings)
    finally:
        server.start()
    assert "Connection refused" in problem
    assert "The publication stands; the next night tries again." in "".join(said)
    assert duckdb.connect(str(settings.published_database), read_only=True)
    assert deliver(settings) == []
    assert rows("select distinct version from inflight.fct_a") == [(1,)]


@pytest.mark.parametrize("url", ["postgresql://owner:{}@127.0.0.1:{}/postgres", "postgresql//owner:{}@127.0.0.1:{}/x"])
def test_no_failure_shows_the_password(settings: Settings, server: Server, url: str):
    wrong = url.format("s3cr3t-wr0ng", server.port)
    with pytest.raises(PostgresError) as raised:
        send(night(settings, 1), wrong, SCHEMA)
    assert "s3cr3t" not in str(raised.value)
    assert PASSWORD not in str(raised.value) and PASSWORD_IN_URL not in str(raised.value)
