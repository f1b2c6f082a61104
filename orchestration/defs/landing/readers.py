"""How each file format becomes rows in DuckDB: a `Relation` whose columns hold the values as the file has them."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from orchestration.defs.landing.discovery import ExtractFile
from orchestration.defs.landing.sql import ident, literal

MAX_LINE_BYTES = 16 * 2**20
DELIMITERS = (",", ";", "\t", "|")
BAD_LINES = "landing_bad_lines"
BAD_SCANS = "landing_bad_scans"


class Refused(Exception):
    """The whole file cannot be landed; the message says why and names the column where there is one."""


@dataclass(frozen=True)
class Relation:
    """Rows of one file.

    `columns` maps a contract column (lower case) to (SQL expression, type as read); `extra` maps the names
    the contract does not know to expressions. `sql` is the FROM clause, `sql_strict` the same where lines
    that cannot be split into columns go to the table BAD_LINES. `raw_text` is the line itself where the
    reader has it, `unreadable` is true for a line from which no value can be taken.
    """

    columns: dict[str, tuple[str, str]]
    extra: dict[str, str]
    sql: str
    sql_strict: str
    first_line: int = 1  # line, or row where the format has no lines, of the first row
    raw_text: str | None = None
    unreadable: str = "false"


def open_relation(con: duckdb.DuckDBPyConnection, file: ExtractFile) -> Relation:
    """Look at the file's header or schema; raises Refused where no row of it could be read."""
    con.execute(f"drop table if exists {BAD_LINES}")
    con.execute(f"drop table if exists {BAD_SCANS}")
    if file.path.suffix == ".gz":
        _read_to_end(file.path)
    read = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[file.format]
    relation = read(con, file)
    found = [*relation.columns, *relation.extra]
    missing = [name for name in file.table.required if name not in relation.columns]
    if missing:
        raise Refused(f"column {', '.join(missing)} is missing; the file has {', '.join(found) or 'no columns'}")
    return relation


def last_line(file: ExtractFile) -> str:
    """The last line that is not empty, without its line break; '' for an empty file."""
    if file.path.suffix == ".gz":
        return _read_to_end(file.path)
    with file.path.open("rb") as stream:
        stream.seek(max(0, file.size_bytes - MAX_LINE_BYTES))
        return _tail(stream.read())


def _read_to_end(path: Path) -> str:
    """The last line of a gzip file. DuckDB takes a cut one for a short one; this raises Refused."""
    tail = b""
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(2**20):
                tail = chunk if b"\n" in chunk[:-2] else tail + chunk
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"the file cannot be read to its end, it may have been cut: {error}") from error
    return _tail(tail)


def _tail(data: bytes) -> str:
    return data.rstrip(b"\r\n").rsplit(b"\n", 1)[-1].decode(errors="replace")


@contextmanager
def _text(path: Path) -> Iterator[IO[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
            yield stream
    except UnicodeDecodeError as error:
        raise Refused(f"the file is not UTF-8: {error.reason} at byte {error.start}") from error
    except (OSError, EOFError) as error:
        raise Refused(f"the file cannot be read to its end, it may have been cut: {error}") from error


def _csv(con: duckdb.DuckDBPyConnection, file: ExtractFile) -> Relation:
    with _text(file.path) as stream:
        header = stream.readline(MAX_LINE_BYTES)
    delimiter = max(DELIMITERS, key=header.count)
    names = [name.strip() for name in next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter), [])]
    _check_names(names)
    columns = ", ".join(f"{ident(name)}: 'VARCHAR'" for name in names)
    options = (
        f"auto_detect = false, header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"', "
        f"nullstr = '', columns = {{{columns}}}, max_line_size = {MAX_LINE_BYTES}, strict_mode = true"
    )
    path = literal(str(file.path))
    rejects = f"store_rejects = true, rejects_table = '{BAD_LINES}', rejects_scan = '{BAD_SCANS}'"
    return _relation(
        file,
        {name: (ident(name), "varchar") for name in names},
        sql=f"read_csv({path}, {options}, ignore_errors = true)",
        sql_strict=f"read_csv({path}, {options}, {rejects})",
        first_line=2,
    )


def _jsonl(con: duckdb.DuckDBPyConnection, file: ExtractFile) -> Relation:
    with _text(file.path) as stream:
        stream.read(1)
    # One column a line: no JSON text may hold a raw control character, so \x02 never splits a good line.
    lines = (
        "(select line, case when json_valid(line) and json_type(line) = 'OBJECT' then line end as object from read_csv("
        f"{literal(str(file.path))}, auto_detect = false, header = false, delim = '\x02', quote = '', "
        f"escape = '', nullstr = '', columns = {{line: 'VARCHAR'}}, max_line_size = {MAX_LINE_BYTES}, "
        "null_padding = true) where line is not null)"
    )
    found = con.execute(f"select distinct unnest(json_keys(object)) as name from {lines} order by 1").fetchall()
    names = [name for (name,) in found]
    _check_names(names)
    values = {name: (f"object ->> {literal(_json_pointer(name))}", "varchar") for name in names}
    return _relation(file, values, sql=lines, sql_strict=lines, raw_text="line", unreadable="object is null")


def _parquet(con: duckdb.DuckDBPyConnection, file: ExtractFile) -> Relation:
    source = f"read_parquet({literal(str(file.path))})"
    described = con.execute(f"describe select * from {source}").fetchall()
    _check_names([name for name, *_ in described])
    nested = ("struct", "map", "list", "[]")
    values = {}
    for name, data_type, *_ in described:
        expression, data_type = ident(name), data_type.lower()
        if any(mark in data_type for mark in nested):
            expression, data_type = f"to_json({expression})::varchar", "varchar"
        values[name] = (expression, data_type)
    return _relation(file, values, sql=source, sql_strict=source)


def _json_pointer(name: str) -> str:
    """The path of one key, by RFC 6901, so that no character of its name means anything."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _relation(file: ExtractFile, values: dict[str, tuple[str, str]], **how) -> Relation:
    known = {column.name for column in file.table.columns}
    return Relation(
        columns={name.lower(): value for name, value in values.items() if name.lower() in known},
        extra={name: value[0] for name, value in values.items() if name.lower() not in known},
        **how,
    )


def _check_names(names: list[str]) -> None:
    if not [name for name in names if name]:
        raise Refused("the file has no header")
    if "" in names:
        raise Refused(f"column {names.index('') + 1} of the header has no name")
    lowered = [name.lower() for name in names]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise Refused(f"column {', '.join(twice)} stands twice in the header")
