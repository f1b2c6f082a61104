"""The landing schema: which files landed, what was set aside, and what each file looked like."""

import json
from dataclasses import dataclass, field, fields

import duckdb

from orchestration.defs.landing.contract import ContractError, Table
from orchestration.defs.landing.discovery import ExtractFile
from orchestration.defs.landing.names import TwoNames, match
from orchestration.defs.landing.sql import ident, json_pointer, listing, literal
from orchestration.defs.landing.values import read_text

# files: one row per file and content. status is landed, repeated (the same content was landed before under
# another name), refused (nothing of it landed, the night stops) or ignored (not ours); and one row per retry that
# landed rows set aside, status retried: it counts nothing, since the file's own row counts them as landed from then.
# A load is pending until gate 1 has accepted it; what is still pending at the next night is taken back first.
SCHEMA = """
create schema if not exists landing;

create sequence if not exists landing.load_ids;  -- an id taken back is never used again

create table if not exists landing.files (
    load_id integer not null,
    crm varchar not null,
    entity varchar not null,
    path varchar not null,
    format varchar not null,
    is_delta boolean not null,
    extracted_at timestamp not null,
    size_bytes bigint not null,
    modified_ns bigint not null,
    sha256 varchar,
    status varchar not null,
    reason varchar,
    rows_in_file bigint not null,
    rows_landed bigint not null,
    rows_set_aside bigint not null,
    rows_repeated bigint not null,
    missing_columns varchar[] not null,
    extra_columns varchar[] not null,
    is_accepted boolean not null
);

-- Warehouses that are older than these columns gain them.
alter table landing.files add column if not exists encoding varchar;
alter table landing.files add column if not exists delimiter varchar;
alter table landing.files add column if not exists may_be_now varchar[];
alter table landing.files add column if not exists notation varchar;

create table if not exists landing.rejects (
    load_id integer not null,
    crm varchar not null,
    entity varchar not null,
    path varchar not null,
    line bigint,
    column_name varchar,
    value varchar,
    reason varchar not null,
    raw_text varchar
);
alter table landing.rejects add column if not exists is_row boolean;  -- raw_text is the row as a JSON object

create table if not exists landing.profiles (
    load_id integer not null,
    column_name varchar not null,
    rows bigint not null,
    non_null_rows bigint not null
);

create table if not exists landing.value_counts (
    load_id integer not null,
    column_name varchar not null,
    value varchar,
    rows bigint not null
);
"""

META_COLUMNS = {
    "_extra": "varchar",  # JSON: columns of the file that the contract does not know
    "_load_id": "integer",
    "_extracted_at": "timestamp",
    "_superseded_at": "timestamp",  # extract time of the next version of the same key
    "_superseded_load_id": "integer",
    "_row_hash": "ubigint",
}


@dataclass
class Outcome:
    """What became of one file; `rows_in_file = rows_landed + rows_set_aside + rows_repeated` always."""

    load_id: int
    file: ExtractFile
    sha256: str | None = None
    status: str = "landed"
    reason: str | None = None
    rows_in_file: int = 0
    rows_landed: int = 0
    rows_set_aside: int = 0
    rows_repeated: int = 0
    missing_columns: list[str] = field(default_factory=list)
    extra_columns: list[str] = field(default_factory=list)
    encoding: str | None = None
    delimiter: str | None = None
    notation: str | None = None  # how the file writes numbers and dates, as in values.py
    may_be_now: list[str] = field(default_factory=list)  # "missing column: column of the file that it may be"

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "file"}
        row = {
            "crm": self.file.crm,
            "entity": self.file.entity,
            "path": self.file.name,
            "format": self.file.format,
            "is_delta": self.file.is_delta,
            "extracted_at": self.file.extracted_at,
            "size_bytes": self.file.size_bytes,
            "modified_ns": self.file.modified_ns,
            "is_accepted": self.status == "ignored",
            **own,
        }
        names = ", ".join(row)
        con.execute(f"insert into landing.files ({names}) values ({', '.join('?' * len(row))})", [*row.values()])


def prepare(con: duckdb.DuckDBPyConnection, contracts: tuple[Table, ...]) -> None:
    """Create what is missing: the landing schema, and a raw table for each entity of each CRM, in use or not.

    A column that the contract gained is added and filled from what earlier files held under that name.
    """
    con.execute(SCHEMA)
    existing: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table_name, column, data_type in con.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and not internal"
    ).fetchall():
        existing.setdefault((schema, table_name), {})[column] = data_type
    spelled = _Types(con)
    for table in contracts:
        columns = {column.name: column.data_type for column in table.columns} | META_COLUMNS
        there = existing.get((table.schema, table.name))
        if there is None:
            con.execute(f"create schema if not exists {ident(table.schema)}")
            ddl = listing(f"{ident(column)} {data_type}" for column, data_type in columns.items())
            con.execute(f"create table {ident(table.schema, table.name)} (\n    {ddl}\n)")
            continue
        for column, data_type in columns.items():
            if column in there and there[column] != spelled[data_type]:
                _set_type(con, table, column, there[column], data_type)
        if gained := [column for column in columns if column not in there]:
            _add_columns(con, table, gained, columns)


class _Types(dict):
    """How DuckDB spells a type: decimal(18,2) is DECIMAL(18,2)."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def __missing__(self, declared: str) -> str:
        (self[declared],) = self.con.execute(f"select typeof(null::{declared})").fetchone()
        return self[declared]


def _add_columns(con, table: Table, gained: list[str], columns: dict[str, str]) -> None:
    """What the contract has learnt to know: it moves from `_extra`, where earlier files left it."""
    name = ident(table.schema, table.name)
    keys = con.execute(f"select distinct unnest(json_keys(_extra)) from {name} where _extra is not null").fetchall()
    try:
        found_as = match(tuple(c for c in table.columns if c.name in gained), [key for (key,) in keys])
    except TwoNames as error:
        raise ContractError(f"{table.crm}.{table.name}: in files that landed, {error}") from error
    for column in gained:
        con.execute(f"alter table {name} add column {ident(column)} {columns[column]}")
    for column in table.columns:
        if column.name in found_as:
            key = found_as[column.name]
            text = f"(_extra ->> {literal(json_pointer(key))})"
            value = read_text(column, text).sql
            con.execute(f"update {name} set {ident(column.name)} = {value} where {text} is not null")
            # What could not be read stays where it was.
            rest = f"json_merge_patch(_extra, {literal(json.dumps({key: None}))})::varchar"
            con.execute(f"update {name} set _extra = nullif({rest}, '{{}}') where {ident(column.name)} is not null")
    con.execute(f"update {name} set _row_hash = {row_hash(table)}")


def _set_type(con: duckdb.DuckDBPyConnection, table: Table, column: str, now: str, declared: str) -> None:
    """Give a raw column the type that its contract declares by now."""
    try:
        con.execute(
            f"alter table {ident(table.schema, table.name)} alter column {ident(column)} set data type {declared}"
        )
    except duckdb.Error as error:
        raise ContractError(
            f"{table.crm}.{table.name}.{column} is {now} in raw and what landed does not fit {declared}: {error}"
        ) from error


def row_hash(table: Table) -> str:
    """SQL of the hash that says whether two rows are the same. An event is the same whatever is added to it."""
    names = [ident(column.name) for column in table.columns]
    return f"hash({', '.join(names if not table.key else [*names, '_extra'])})"


def next_load_id(con: duckdb.DuckDBPyConnection) -> int:
    return con.execute("select nextval('landing.load_ids')").fetchone()[0]


def accept(con: duckdb.DuckDBPyConnection) -> None:
    """Gate 1 has passed: what landed stays."""
    con.execute("update landing.files set is_accepted = true where status in ('landed', 'repeated')")


def known_files(con: duckdb.DuckDBPyConnection) -> set[tuple[str, int, int]]:
    """(path, size, modification time) of files that need no second look."""
    return set(con.execute("select path, size_bytes, modified_ns from landing.files where is_accepted").fetchall())


def later_files(con: duckdb.DuckDBPyConnection, file: ExtractFile) -> list[tuple[str, int, int]]:
    """(path, size, modification time) of what landed though it was taken after `file`, to the next full extract."""
    return con.execute(
        """
        with later as (
            select * from landing.files
            where crm = ? and entity = ? and extracted_at > ? and status in ('landed', 'repeated')
        )
        select path, size_bytes, modified_ns from later
        where extracted_at <= coalesce((select min(extracted_at) from later where not is_delta), timestamp '9999-12-31')
        order by extracted_at, load_id
        """,
        [file.crm, file.entity, file.extracted_at],
    ).fetchall()


def loads_with_rejects(con: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    """(load id, crm, entity) of accepted loads that set rows aside, oldest extract first."""
    return con.execute("""
        select load_id, crm, entity from landing.files
        where is_accepted and load_id in (select load_id from landing.rejects where is_row)
        order by extracted_at, load_id
    """).fetchall()


def twin(con: duckdb.DuckDBPyConnection, crm: str, entity: str, sha256: str) -> str | None:
    """Path of a file with the same content that landed before, if any."""
    row = con.execute(
        "select path from landing.files where crm = ? and entity = ? and sha256 = ? and status = 'landed' limit 1",
        [crm, entity, sha256],
    ).fetchone()
    return row[0] if row else None
