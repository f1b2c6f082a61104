"""The publication in PostgreSQL, for BI tools that read nothing else.

What people read are views in the schema `inflight`; their rows lie in `inflight__data`, where one transaction exchanges
them. A statement sees the rows of one publication, as PostgreSQL promises. So does a transaction of several: all views
pass one gate, a table that our transaction has to itself when it commits. It gets it once those who have passed have
ended their transactions; whoever comes meanwhile waits at the gate. See decision 13.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration.defs.landing.sql import ident, literal

if TYPE_CHECKING:
    import psycopg

URL = "PUBLISH_POSTGRES_URL"
SCHEMA = "PUBLISH_POSTGRES_SCHEMA"
BLOCK = 1 << 20  # bytes
READERS_SECONDS = 60.0  # how long transactions of readers are waited for
GATE_SECONDS = 5.0  # how long new readers wait with us, before we let them pass and try again
GATE = "_gate"

TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "HUGEINT": "numeric(39,0)",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "TINYINT": "smallint",
    "UBIGINT": "numeric(20,0)",
    "UINTEGER": "bigint",
}

Shape = list[tuple[str, str]]  # (column, type in PostgreSQL), in order


class PostgresError(Exception):
    """PostgreSQL has not got the publication; the message says why, and holds no secret."""


@dataclass(frozen=True)
class Sent:
    """What PostgreSQL shows now, and how many tables that took; `waited` is false where readers outlasted our wait."""

    publication_id: str
    tables_sent: int
    tables_unchanged: int
    waited: bool = True


def send(database: Path, url: str, schema: str, scratch: Path) -> Sent:
    """Bring `schema` to the publication in the DuckDB file `database`, all of it or nothing. Raises PostgresError.

    `scratch` is a folder for what is on its way; whatever a kill left in it goes with the next publication.
    """
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10, application_name="inflight", autocommit=True) as pg:
            pg.execute("set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0")
            with duckdb.connect(str(database), read_only=True) as con:
                return _send(con, pg, schema, scratch / schema)
    except psycopg.Error as error:
        raise PostgresError(_without_secrets(str(error).strip() or type(error).__name__, url)) from None


def shown(url: str, schema: str) -> str | None:
    """The publication that PostgreSQL shows; None for none. Raises PostgresError."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10, application_name="inflight") as pg:
            return _publication_id(pg, schema)
    except psycopg.Error as error:
        raise PostgresError(_without_secrets(str(error).strip() or type(error).__name__, url)) from None


def _send(con: duckdb.DuckDBPyConnection, pg: "psycopg.Connection", schema: str, scratch: Path) -> Sent:
    (publication_id,) = con.execute("select max(publication_id) from publication").fetchone()
    with pg.transaction():
        _alone(pg, schema)
        shutil.rmtree(scratch, ignore_errors=True)
        if _publication_id(pg, schema) == publication_id:
            return Sent(publication_id, 0, len(_hashes(con)))
        _prepare(pg, schema)
        before, now = _shapes_there(pg, schema), _shapes_here(con)
        hashes_before, hashes = _hashes_there(pg, schema, before), _hashes(con)
        gone = [name for name in before if name not in now]
        fresh = [name for name in now if now[name] != before.get(name)]
        unchanged = [name for name in hashes if name not in fresh and hashes[name] == hashes_before.get(name)]
        changed = [name for name in now if name not in unchanged]
        for name in changed:
            _fill(con, pg, schema, name, now[name], scratch, is_fresh=name in fresh)
        has_waited = _pass_the_gate(pg, schema)
        if not has_waited and (gone or set(fresh) & before.keys()):
            raise PostgresError(
                f"tables of schema {schema} change their columns, and a reader's transaction has held them for "
                f"{READERS_SECONDS:.0f} s; it is tried again with the next publication, or now with: inflight publish"
            )
        for name in gone:
            _drop_view(pg, schema, name)
            pg.execute(f"drop table {_table(schema, name)}")
        for name in fresh:
            _show(pg, schema, name, before.get(name, []), now[name])
        _comment(con, pg, schema)
    for name in changed:  # so that the next night finds the space of the rows that are gone, and BI a good plan
        pg.execute(f"vacuum (analyze, truncate off) {_table(schema, name)}")
    return Sent(publication_id, len(changed), len(unchanged), has_waited)


def rows_schema(schema: str) -> str:
    """Where the rows lie. No team's schema is called so: the slug of a team has no two underscores in a row."""
    return f"{schema}__data"


def _table(schema: str, name: str) -> str:
    """Where the rows of a view lie."""
    return ident(rows_schema(schema), name)


def _prepare(pg: "psycopg.Connection", schema: str) -> None:
    pg.execute(f"create schema if not exists {ident(schema)}")
    pg.execute(f"create schema if not exists {ident(rows_schema(schema))}")
    pg.execute(f"create table if not exists {_table(schema, GATE)} (is_open boolean primary key)")
    pg.execute(f"insert into {_table(schema, GATE)} values (true) on conflict do nothing")


def _alone(pg: "psycopg.Connection", schema: str) -> None:
    """One publication at a time into one schema."""
    (is_ours,) = pg.execute("select pg_try_advisory_xact_lock(hashtext(%s))", [f"inflight {schema}"]).fetchone()
    if not is_ours:
        raise PostgresError(f"another publication into schema {schema} is under way")


def _publication_id(pg: "psycopg.Connection", schema: str) -> str | None:
    if not pg.execute("select to_regclass(%s)", [_table(schema, "publication")]).fetchone()[0]:
        return None
    return pg.execute(f"select max(publication_id) from {_table(schema, 'publication')}").fetchone()[0]


def _hashes(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Published table -> hash of its content."""
    return dict(con.execute("select table_name, content_hash from publication").fetchall())


def _hashes_there(pg: "psycopg.Connection", schema: str, there: dict[str, Shape]) -> dict[str, str]:
    if "publication" not in there:
        return {}
    return dict(pg.execute(f"select table_name, content_hash from {_table(schema, 'publication')}").fetchall())


def _shapes_here(con: duckdb.DuckDBPyConnection) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for name, column, data_type in con.execute("""
        select table_name, column_name, data_type from duckdb_columns()
        where schema_name = 'main' and not internal order by table_name, column_index
    """).fetchall():
        shapes.setdefault(name, []).append((column, _type(data_type)))
    return shapes


def _type(data_type: str) -> str:
    """PostgreSQL's name of DuckDB's type; whatever it has no type for is text."""
    if data_type.startswith("DECIMAL"):
        return data_type.replace("DECIMAL", "numeric")
    return TYPES.get(data_type, "text")


def _shapes_there(pg: "psycopg.Connection", schema: str) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for name, column, data_type in pg.execute(
        """
        select relname, attname, format_type(atttypid, atttypmod)
        from pg_attribute inner join pg_class on pg_class.oid = attrelid
        where relnamespace = to_regnamespace(%s) and relkind = 'r' and attnum > 0 and not attisdropped
            and relname <> %s
        order by relname, attnum
        """,
        [ident(rows_schema(schema)), GATE],
    ).fetchall():
        shapes.setdefault(name, []).append((column, data_type))
    return shapes


def _aside(schema: str, name: str) -> str:
    """Where the rows of other columns lie until the view shows them."""
    return _table(schema, f"{name[:50]}__new")


def _fill(
    con: duckdb.DuckDBPyConnection,
    pg: "psycopg.Connection",
    schema: str,
    name: str,
    shape: Shape,
    scratch: Path,
    is_fresh: bool,
) -> None:
    """Exchange the rows of a table; one of other columns is made beside it."""
    if is_fresh:
        table = _aside(schema, name)
        pg.execute(f"create table {table} ({', '.join(f'{ident(column)} {kind}' for column, kind in shape)})")
    else:
        table = _table(schema, name)
        pg.execute(f"delete from {table}")
    columns = ", ".join(ident(column) for column, _ in shape)
    statement = f"copy {table} ({columns}) from stdin (format csv, null '\\N')"
    with _as_csv(con, name, shape, scratch) as path, path.open("rb") as file, pg.cursor().copy(statement) as copy:
        while block := file.read(BLOCK):
            copy.write(block)


@contextmanager
def _as_csv(con: duckdb.DuckDBPyConnection, name: str, shape: Shape, scratch: Path) -> Iterator[Path]:
    """The table as a file that is gone afterwards. PostgreSQL's text holds no NUL: it is left out."""
    columns = ", ".join(
        f"replace({ident(column)}::varchar, chr(0), '')" if data_type == "text" else ident(column)
        for column, data_type in shape
    )
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "rows.csv"
    try:
        con.execute(
            f"copy (select {columns} from {ident(name)}) to {literal(str(path))} "
            "(format csv, header false, nullstr '\\N')"
        )
        yield path
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _comment(con: duckdb.DuckDBPyConnection, pg: "psycopg.Connection", schema: str) -> None:
    """Carry the descriptions of tables and columns, those that PostgreSQL has not got."""
    there = set(
        pg.execute(
            """
            select relname, attname, description
            from pg_description inner join pg_class on pg_class.oid = objoid
            left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0
            where relnamespace = to_regnamespace(%s)
            """,
            [ident(schema)],
        ).fetchall()
    )
    here = con.execute("""
        select table_name, null as column_name, comment from duckdb_tables() where comment is not null
        union all
        select table_name, column_name, comment from duckdb_columns() where comment is not null and not internal
    """).fetchall()
    comments = [
        f"comment on {'column' if column else 'view'} {ident(schema, table, *([column] if column else []))} "
        f"is {_text(comment)}"
        for table, column, comment in here
        if (table, column, comment) not in there
    ]
    if comments:
        pg.execute("; ".join(comments))


def _text(comment: str) -> str:
    """A literal that means the same whatever the server thinks of backslashes."""
    return "E" + literal(comment.replace("\\", "\\\\"))


def _pass_the_gate(pg: "psycopg.Connection", schema: str) -> bool:
    """Have the gate to ourselves until the commit; false if a reader's transaction keeps it open too long."""
    import psycopg

    give_up = time.monotonic() + READERS_SECONDS
    while time.monotonic() < give_up:
        wait = min(GATE_SECONDS, READERS_SECONDS)
        try:
            with pg.transaction():
                pg.execute(f"set local lock_timeout = {1000 * wait:.0f}")
                pg.execute(f"lock table {_table(schema, GATE)} in access exclusive mode")
                pg.execute("set local lock_timeout = 0")
            return True
        except psycopg.errors.LockNotAvailable:
            time.sleep(wait)
    return False


def _show(pg: "psycopg.Connection", schema: str, name: str, before: Shape, now: Shape) -> None:
    """Let the view show the table of other columns that was made beside it.

    Where columns were only added, the view stays, and with it the views that others made on it.
    """
    if before:
        pg.execute(f"alter table {_table(schema, name)} rename to {ident(f'{name[:50]}__old')}")
    pg.execute(f"alter table {_aside(schema, name)} rename to {ident(name)}")
    view, columns, grants = ident(schema, name), now, []
    if before and set(before) <= set(now):
        shown = _columns_shown(pg, schema, name)
        columns = sorted(now, key=lambda each: shown.index(each[0]) if each[0] in shown else len(shown))
    elif before:
        grants = _grants(pg, view)
        _drop_view(pg, schema, name)
    pg.execute(
        f"create or replace view {view} as select {', '.join(ident(column) for column, _ in columns)} "
        f"from {_table(schema, name)} where exists (select from {_table(schema, GATE)})"
    )
    for grantee, privilege in grants:
        pg.execute(f"grant {privilege} on {view} to {grantee}")
    if before:
        pg.execute(f"drop table {_table(schema, f'{name[:50]}__old')}")


def _columns_shown(pg: "psycopg.Connection", schema: str, name: str) -> list[str]:
    found = "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 order by attnum"
    return [row[0] for row in pg.execute(found, [ident(schema, name)]).fetchall()]


def _grants(pg: "psycopg.Connection", view: str) -> list[tuple[str, str]]:
    """(role, privilege) of those who may read a view."""
    return pg.execute(
        """
        select coalesce(quote_ident(rolname), 'public'), privilege_type
        from pg_class cross join aclexplode(relacl) left join pg_roles on pg_roles.oid = grantee
        where pg_class.oid = to_regclass(%s) and grantee <> relowner
        """,
        [view],
    ).fetchall()


def _drop_view(pg: "psycopg.Connection", schema: str, name: str) -> None:
    import psycopg

    try:
        pg.execute(f"drop view {ident(schema, name)}")
    except psycopg.errors.DependentObjectsStillExist as error:
        detail = (error.diag.message_detail or "").splitlines()[0]
        raise PostgresError(
            f"columns of {schema}.{name} are gone or of another type, and others depend on it: {detail}; drop that, "
            "run inflight publish, and make it again"
        ) from None


def _without_secrets(text: str, url: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    secrets = [url]
    try:
        secrets.append(str(conninfo_to_dict(url).get("password") or ""))
    except Exception:  # no connection string at all: then it is the secret, whole
        return f"{URL} cannot be read as a connection string"
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return " ".join(text.split())


def target() -> tuple[str, str] | None:
    """(url, schema) as the environment says; None where nothing is to go to PostgreSQL."""
    url = os.environ.get(URL)
    return (url, os.environ.get(SCHEMA) or "inflight") if url else None
