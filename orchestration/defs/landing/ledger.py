"""The landing schema: which files landed, what was set aside, and what each file looked like."""

from dataclasses import dataclass, field, fields

import duckdb

from orchestration.defs.landing.contract import ContractError, Table
from orchestration.defs.landing.discovery import ExtractFile
from orchestration.defs.landing.sql import ident, listing

# files: one row per file and content. status is landed, repeated (the same content was landed before under
# another name), refused (nothing of it landed, the night stops) or ignored (not ours).
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
alter table landing.files add column if not exists may_be_now map(varchar, varchar);

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
    may_be_now: dict[str, str] = field(default_factory=dict)  # missing column: name of the file that it may be

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
    for table in contracts:
        name = ident(table.schema, table.name)
        columns = {column.name: column.data_type for column in table.columns} | META_COLUMNS
        con.execute(f"create schema if not exists {ident(table.schema)}")
        ddl = listing(f"{ident(column)} {data_type}" for column, data_type in columns.items())
        con.execute(f"create table if not exists {name} (\n    {ddl}\n)")
        existing = {row[0]: row[1] for row in con.execute(f"describe {name}").fetchall()}
        for column, data_type in columns.items():
            if column in existing:
                _set_type(con, table, column, existing[column], data_type)
            else:
                con.execute(f"alter table {name} add column {ident(column)} {data_type}")
                con.execute(
                    f"update {name} set {ident(column)} = try_cast(_extra ->> ? as {data_type})",
                    ["/" + column],
                )
        if len(existing) < len(columns):
            con.execute(f"update {name} set _row_hash = {row_hash(table)}")


def _set_type(con: duckdb.DuckDBPyConnection, table: Table, column: str, now: str, declared: str) -> None:
    """Give a raw column the type that its contract declares by now."""
    (declared,) = con.execute(f"select typeof(null::{declared})").fetchone()
    if now == declared:
        return
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


def twin(con: duckdb.DuckDBPyConnection, crm: str, entity: str, sha256: str) -> str | None:
    """Path of a file with the same content that landed before, if any."""
    row = con.execute(
        "select path from landing.files where crm = ? and entity = ? and sha256 = ? and status = 'landed' limit 1",
        [crm, entity, sha256],
    ).fetchone()
    return row[0] if row else None
