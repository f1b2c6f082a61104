"""Build a release beside the one BI reads, then let `published/current` point to it: one rename, all or nothing.

    published/inflight.duckdb -> current/inflight.duckdb
    published/parquet         -> current/parquet
    published/current         -> releases/<publication>

Readers that hold files of the release before keep them; it stays on disk until the next but one.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.defs.landing.sql import ident, literal
from orchestration.defs.publish import privacy as privacies
from orchestration.defs.publish.copies import write_copy
from orchestration.defs.publish.privacy import Privacy, PrivacyError
from orchestration.defs.quality.gate_2 import profile_column_sql
from orchestration.settings import Settings

KEPT_RELEASES = 2


DESCRIPTIONS = """
create table publication (
    publication_id varchar, published_at timestamp, as_of timestamp, run_id varchar, table_name varchar,
    row_count bigint, content_hash varchar, checks_passed integer, privacy varchar
);
comment on table publication is 'Grain: one row per published table. What this file is.';
comment on column publication.publication_id is 'The publication; one in all rows.';
comment on column publication.published_at is 'When it was published, UTC.';
comment on column publication.as_of is 'What the tables know: the newest extract''s time, UTC.';
comment on column publication.run_id is 'Dagster''s run.';
comment on column publication.table_name is 'The table.';
comment on column publication.row_count is 'Its rows.';
comment on column publication.content_hash is 'Hash of its content, whatever the order of rows.';
comment on column publication.checks_passed is 'Tests and gates that the run passed, of all tables.';
comment on column publication.privacy is 'masked where hashes stand in place of what is personal, else open.';
create table publication_columns (
    table_name varchar, column_name varchar, data_type varchar, row_count bigint, non_null_count bigint,
    mean_value double
);
comment on table publication_columns is 'Grain: one row per published column, for comparison with the next.';
comment on column publication_columns.table_name is 'The table.';
comment on column publication_columns.column_name is 'The column.';
comment on column publication_columns.data_type is 'Its type.';
comment on column publication_columns.row_count is 'Rows of the table.';
comment on column publication_columns.non_null_count is 'Rows in which the column has a value.';
comment on column publication_columns.mean_value is 'Mean size of a number, without its sign; null for other types.';
"""


class PublicationError(Exception):
    """The marts cannot be published as they are; the message says what to do."""


@dataclass(frozen=True)
class Publication:
    """What BI sees: `tables` maps a table to its rows."""

    publication_id: str
    as_of: datetime | None
    tables: dict[str, int]
    checks_passed: int


def publish(settings: Settings, marts: list[str], run_id: str, checks_passed: int) -> Publication:
    """Publish the tables named in `marts`. Raises PublicationError if one of them is missing or no table."""
    try:
        privacy = privacies.from_env()
    except PrivacyError as error:
        raise PublicationError(str(error)) from None
    published_at = datetime.now(UTC).replace(tzinfo=None)
    publication_id = f"{published_at:%Y%m%dT%H%M%S%f}-{run_id[:8]}"
    _checkpoint(settings.marts)
    as_of = _as_of(settings)
    with release(settings.published, publication_id) as building:
        if not privacy.is_masked:
            shutil.copyfile(settings.marts, building / "inflight.duckdb")
        with duckdb.connect(str(building / "inflight.duckdb")) as con:
            con.execute("set preserve_insertion_order = false")  # the order of rows is no promise; Parquet is quicker
            if privacy.is_masked:
                _write_masked(con, settings.marts, marts, privacy)
            else:
                _keep_only(con, marts)
            tables = describe(con, marts, publication_id, published_at, as_of, run_id, checks_passed, privacy.name)
            write_parquet(con, building / "parquet", settings.published / "current" / "parquet", tables)
            con.execute("checkpoint")
    if privacy.is_masked:
        forget_unmasked(settings.published / "releases")
    return Publication(publication_id, as_of, {name: rows for name, (rows, _) in tables.items()}, checks_passed)


@contextmanager
def release(folder: Path, name: str) -> Iterator[Path]:
    """A folder to build inflight.duckdb and parquet/ in; once that is done, `folder`/current points to it.

    Whatever goes wrong before leaves the release that is shown.
    """
    releases = folder / "releases"
    building = releases / f"{name}.building"
    for leftover in releases.glob("*.building"):
        shutil.rmtree(leftover)
    (building / "parquet").mkdir(parents=True)
    yield building
    if (building / "inflight.duckdb.wal").exists():
        raise PublicationError("the published file was not closed cleanly; run the job again")
    done = building.with_suffix("")
    _flush(building)
    building.rename(done)
    _point(folder / "inflight.duckdb", Path("current/inflight.duckdb"))
    _point(folder / "parquet", Path("current/parquet"))
    _point(folder / "current", Path("releases") / done.name)
    for old in sorted(path for path in releases.iterdir() if path.is_dir())[:-KEPT_RELEASES]:
        shutil.rmtree(old)


def current(settings: Settings) -> Publication | None:
    """What BI sees now; None before the first publication."""
    if not settings.published_database.exists():
        return None
    with duckdb.connect(str(settings.published_database), read_only=True) as con:
        rows = con.execute(
            "select publication_id, as_of, checks_passed, table_name, row_count from publication order by table_name"
        ).fetchall()
    publication_id, as_of, checks_passed = rows[0][:3]
    return Publication(publication_id, as_of, {row[3]: row[4] for row in rows}, checks_passed)


def publication_of(database: Path) -> str | None:
    """The publication that a file holds; None where there is no file."""
    if not database.exists():
        return None
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute("select max(publication_id) from publication").fetchone()[0]


def _checkpoint(database: Path) -> None:
    """Write what a killed run left in the write-ahead log into the file itself."""
    with duckdb.connect(str(database)) as con:
        con.execute("checkpoint")


def _as_of(settings: Settings) -> datetime | None:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute("select as_of from staging.stg_as_of").fetchone()[0]


def _kinds(con: duckdb.DuckDBPyConnection, marts: list[str]) -> dict[str, str]:
    """Table or view -> its kind; refuses a mart that is not a table."""
    kinds = dict(
        con.execute(
            "select table_name, table_type from information_schema.tables where table_schema = 'main'"
        ).fetchall()
    )
    for name in marts:
        if kinds.get(name) != "BASE TABLE":
            raise PublicationError(
                f"mart {name} is {kinds.get(name, 'missing').lower()}; marts are materialized as table or incremental"
            )
    return kinds


def _write_masked(con: duckdb.DuckDBPyConnection, source: Path, marts: list[str], privacy: Privacy) -> None:
    """The marts with hashes in place of what is personal."""
    with duckdb.connect(str(source), read_only=True) as private:
        _kinds(private, marts)
    privacy.prepare(con)
    write_copy(
        con,
        source,
        marts,
        lambda relation, table, columns: f"select {privacy.columns(relation, table, columns)} from {relation}",
    )


def forget_unmasked(releases: Path) -> None:
    """Names that were published before are not kept beside the hashes. Readers that have them open keep them."""
    for old in [path for path in releases.iterdir() if path.is_dir()]:
        with duckdb.connect(str(old / "inflight.duckdb"), read_only=True) as con:
            has_it = con.execute(
                "select count(*) > 0 from duckdb_columns() where table_name = 'publication' and column_name = 'privacy'"
            ).fetchone()[0]
            name = con.execute("select max(privacy) from publication").fetchone()[0] if has_it else None
        if name != "masked":
            shutil.rmtree(old)


def _keep_only(con: duckdb.DuckDBPyConnection, marts: list[str]) -> None:
    """Drop what models that are gone have left, and technical columns."""
    for name, kind in _kinds(con, marts).items():
        if name not in marts:
            con.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {ident(name)}")
    technical = con.execute(
        "select table_name, column_name from information_schema.columns where column_name like '\\_%' escape '\\'"
    ).fetchall()
    for table, column in technical:
        con.execute(f"alter table {ident(table)} drop column {ident(column)}")


def describe(
    con: duckdb.DuckDBPyConnection,
    marts: list[str],
    publication_id: str,
    published_at: datetime,
    as_of: datetime | None,
    run_id: str,
    checks_passed: int,
    privacy: str,
) -> dict[str, tuple[int, str]]:
    """Write the tables `publication` and `publication_columns`; returns table -> (rows, content hash)."""
    con.execute(DESCRIPTIONS)
    tables = {}
    for name in sorted(marts):
        columns = con.execute(f"select column_name, column_type from (describe {ident(name)})").fetchall()
        tables[name] = _content(con, name, columns)
        con.execute(
            "insert into publication values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [publication_id, published_at, as_of, run_id, name, *tables[name], checks_passed, privacy],
        )
    return tables


def _content(con: duckdb.DuckDBPyConnection, name: str, columns: list[tuple[str, str]]) -> tuple[int, str]:
    """Rows and a hash of a table in one scan, and its columns' profile.

    The hash depends neither on the order of rows nor on that in which a sum was added up, which moves a double's last
    digits: seven of them count, and twelve places. What is beyond a float counts by its logarithm.
    """
    in_seven_digits = "coalesce(try_cast(round({0}, 12) as float), (sign({0}) * ln(abs({0})))::float)"
    content = ", ".join(
        in_seven_digits.format(ident(column)) if data_type == "DOUBLE" else ident(column)
        for column, data_type in columns
    )
    total, mixed, rows, *profile = con.execute(f"""
        select sum(row_hash::hugeint), bit_xor(row_hash), {profile_column_sql(columns)}
        from (select *, hash({content}) as row_hash from {ident(name)})
    """).fetchone()
    for (column, data_type), non_null, mean in zip(
        columns, profile[: len(columns)], profile[len(columns) :], strict=True
    ):
        con.execute(
            "insert into publication_columns values (?, ?, ?, ?, ?, ?)", [name, column, data_type, rows, non_null, mean]
        )
    return rows, f"{(total or 0) % 2**64:016x}{mixed or 0:016x}"


def write_parquet(con: duckdb.DuckDBPyConnection, folder: Path, last: Path, tables: dict[str, tuple[int, str]]) -> None:
    """One file a table. A table with the content it had last time is linked, not written again."""
    before = {}
    if (last.parent / "inflight.duckdb").exists():
        con.execute(f"attach {literal(str(last.parent.resolve() / 'inflight.duckdb'))} as last (read_only)")
        before = dict(con.execute("select table_name, content_hash from last.publication").fetchall())
        con.execute("detach last")
    for name, (_, content_hash) in tables.items():
        source = last / f"{name}.parquet"
        if before.get(name) == content_hash and source.exists():
            os.link(source.resolve(), folder / f"{name}.parquet")
        else:
            target = literal(str(folder / f"{name}.parquet"))
            con.execute(f"copy {ident(name)} to {target} (format parquet, compression snappy)")
    con.execute(f"copy publication to {literal(str(folder / 'publication.parquet'))} (format parquet)")


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _point(link: Path, target: Path) -> None:
    """Make `link` point to `target`, in one rename."""
    if link.is_symlink() and Path(os.readlink(link)) == target:
        return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
