"""How each file format becomes rows in DuckDB: a `Relation` whose columns hold the values as the file has them."""

import csv
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from orchestration.defs.landing import values, workbook
from orchestration.defs.landing.contract import Table
from orchestration.defs.landing.discovery import ExtractFile
from orchestration.defs.landing.names import match
from orchestration.defs.landing.pages import rows_of_pages
from orchestration.defs.landing.sql import ident, json_pointer, literal
from orchestration.defs.landing.texts import MAX_LINE_BYTES, Refused, Text, as_utf8, is_gzip, open_bytes

DELIMITERS = (",", ";", "\t", "|")
BAD_LINES = "landing_bad_lines"
BAD_SCANS = "landing_bad_scans"
ROWS = "landing_rows"
MAX_HEADER_CHARS = 2**20
MAX_SHEET_COLUMNS = 702  # up to ZZ
MAX_ROWS_ABOVE = 20  # rows of a sheet among which its header is looked for


@dataclass(frozen=True)
class Relation:
    """Rows of one file.

    `columns` maps a contract column to (SQL expression, type as read), `found_as` to its name in the file;
    `extra` maps the names that the contract does not know to expressions. `sql` is the FROM clause,
    `sql_strict` the same where lines that cannot be split into columns go to the table BAD_LINES. `raw_text`
    is the row as it stands in the file, `unreadable` is true for a line from which no value can be taken.
    `source` says how numbers and dates are written, as in values.py.
    """

    columns: dict[str, tuple[str, str]]
    found_as: dict[str, str]
    extra: dict[str, str]
    names: tuple[str, ...]
    sql: str
    sql_strict: str
    raw_text: str
    first_line: int = 1  # line, or row where the format has no lines, of the first row
    place: str = "row_number() over ()"  # of a row among those of the relation, 1 first
    unreadable: str = "false"
    source: str = values.PLAIN
    delimiter: str | None = None
    text: Text | None = None
    missing: tuple[str, ...] = field(default=())


@contextmanager
def open_relation(con: duckdb.DuckDBPyConnection, file: ExtractFile) -> Iterator[Relation]:
    """Look at the file's header or schema; raises Refused where no row of it could be read."""
    for name in (BAD_LINES, BAD_SCANS):
        con.execute(f"drop table if exists {name}")
    with tempfile.TemporaryDirectory(prefix="landing_", dir=_scratch(con)) as folder:
        relation = _READERS[file.format](con, file, Path(folder))
        relation = replace(
            relation, missing=tuple(c.name for c in file.table.columns if c.name not in relation.columns)
        )
        yield relation


def _scratch(con: duckdb.DuckDBPyConnection) -> str | None:
    (folder,) = con.execute("select current_setting('temp_directory')").fetchone()
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return folder


def _csv(con: duckdb.DuckDBPyConnection, file: ExtractFile, folder: Path) -> Relation:
    text = as_utf8(file.path, file.table.encoding, folder)
    names, delimiter, skip = _header(text.path, file.table)
    _check_names(names)
    columns = ", ".join(f"f{number}: 'VARCHAR'" for number in range(len(names)))
    options = (
        f"auto_detect = false, header = true, skip = {skip}, delim = {literal(delimiter)}, quote = '\"', "
        f"escape = '\"', nullstr = '', columns = {{{columns}}}, max_line_size = {MAX_LINE_BYTES}, strict_mode = true, "
        f"{_compression(text)}"
    )
    path = literal(str(text.path))
    rejects = f"store_rejects = true, rejects_table = '{BAD_LINES}', rejects_scan = '{BAD_SCANS}'"
    return _relation(
        file,
        {name: (f"f{number}", "varchar") for number, name in enumerate(names)},
        sql=f"read_csv({path}, {options}, ignore_errors = true)",
        sql_strict=f"read_csv({path}, {options}, {rejects})",
        first_line=2,
        delimiter=delimiter,
        text=text,
    )


def _header(path: Path, table: Table) -> tuple[list[str], str, int]:
    """The names of the columns, the delimiter that makes the most sense of them, and how many lines to skip."""
    with open_bytes(path) as stream:
        head = stream.read(MAX_HEADER_CHARS).decode("utf-8-sig", errors="replace")
    said = re.match(r"\"?sep=(.)\"?\r?\n", head)  # how Excel says its delimiter
    head = head[said.end() :] if said else head
    declared = said[1] if said else table.delimiter
    tried = {
        each: _split_header(head, each) for each in dict.fromkeys([*([declared] if declared else []), *DELIMITERS])
    }

    def sense(delimiter: str) -> tuple:
        names = tried[delimiter]
        return len(match(table.columns, names)), delimiter == declared, len(names)

    best = max(tried, key=sense)
    return tried[best], best, 1 if said else 0


def _split_header(head: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader(head.splitlines(keepends=True), delimiter=delimiter), [])]
    except csv.Error as error:
        raise Refused(f"the header cannot be read: {error}") from error


def _jsonl(con: duckdb.DuckDBPyConnection, file: ExtractFile, folder: Path) -> Relation:
    text = as_utf8(file.path, file.table.encoding, folder)
    # One column a line: no JSON text may hold a raw control character, so \x02 never splits a good line.
    lines = (
        f"read_csv({literal(str(text.path))}, auto_detect = false, header = false, delim = '\x02', quote = '', "
        f"escape = '', nullstr = '', columns = {{line: 'VARCHAR'}}, max_line_size = {MAX_LINE_BYTES}, "
        f"null_padding = true, {_compression(text)})"
    )
    rows = f"(select line from {lines} where trim(line) <> '')"
    if file.table.rows_at:
        con.execute(f"create or replace temp table {ROWS} as {rows_of_pages(file.table.rows_at, rows)}")
        rows = ROWS
    return _json_objects(con, file, rows, text)


def _json(con: duckdb.DuckDBPyConnection, file: ExtractFile, folder: Path) -> Relation:
    """A document, or several behind each other: pages as a REST API answers, or bare rows."""
    text = as_utf8(file.path, file.table.encoding, folder)
    start, end = text.start(), text.last_line()[-1:]
    if start not in ("[", "{"):
        raise Refused("the file is not JSON: it starts with neither [ nor {")
    if end not in ("]", "}"):
        raise Refused(f"the file has been cut: it ends in {end!r}, not in ] or }}")
    if start == "{" and _is_an_object_a_line(text):
        return _jsonl(con, file, folder)
    # A list is read item by item; one document must fit into memory.
    form, size = ("array", MAX_LINE_BYTES) if start == "[" else ("unstructured", text.size() + 1)
    pages = (
        f"(select json::varchar as line from read_json_objects({literal(str(text.path))}, format = '{form}', "
        f"maximum_object_size = {max(size, MAX_LINE_BYTES)}, {_compression(text)}))"
    )
    con.execute(f"create or replace temp table {ROWS} as {rows_of_pages(file.table.rows_at, pages)}")
    return _json_objects(con, file, ROWS, text)


def _is_an_object_a_line(text: Text) -> bool:
    with open_bytes(text.path) as stream:
        first = stream.readline(MAX_LINE_BYTES).decode("utf-8-sig", errors="replace")
    try:
        return isinstance(json.loads(first), dict) and text.last_line().lstrip().startswith("{")
    except ValueError:
        return False


def _json_objects(con: duckdb.DuckDBPyConnection, file: ExtractFile, lines: str, text: Text) -> Relation:
    rows = (
        "(select line, case when json_valid(line) and json_type(line) = 'OBJECT' then line end as object "
        f"from {lines} where line is not null)"
    )
    found = con.execute(f"select distinct unnest(json_keys(object)) as name from {rows} order by 1").fetchall()
    names = [name for (name,) in found]
    return json_relation(file, names, rows, text=text)


def json_relation(file: ExtractFile, names: list[str], rows: str, **how) -> Relation:
    """Rows with a column `line`, and `object`, which is null for a line that is no JSON object."""
    _check_names(names, may_be_none=True)
    found = {name: (f"object ->> {literal(json_pointer(name))}", "varchar") for name in names}
    how = {"raw_text": "line", "unreadable": "object is null", "source": values.JSON} | how
    return _relation(file, found, sql=rows, sql_strict=rows, **how)


def _parquet(con: duckdb.DuckDBPyConnection, file: ExtractFile, folder: Path) -> Relation:
    source = f"read_parquet({literal(str(file.path))})"
    described = con.execute(f"describe select * from {source}").fetchall()
    _check_names([name for name, *_ in described])
    nested = ("struct", "map", "list", "[]")
    found, renamed = {}, []
    for number, (name, data_type, *_) in enumerate(described):
        expression, data_type = f"f{number}", data_type.lower()
        renamed.append(f"{ident(name)} as {expression}")
        if any(mark in data_type for mark in nested):
            expression, data_type = f"to_json({expression})::varchar", "varchar"
        found[name] = (expression, data_type)
    rows = f"(select {', '.join(renamed)} from {source})"
    return _relation(file, found, sql=rows, sql_strict=rows)


def _xlsx(con: duckdb.DuckDBPyConnection, file: ExtractFile, folder: Path) -> Relation:
    """A sheet. Its header is the row among the first that names most of the columns: titles may stand above it."""
    try:
        source = values.SHEET_1904 if workbook.counts_from_1904(file.path) else values.SHEET
    except workbook.Unreadable as error:
        raise Refused(str(error)) from error
    _load_excel(con)

    def cells(area: str) -> str:
        place = f"range = {literal(area)}, " if area else ""
        sheet = f"{literal(str(file.path))}, sheet = {literal(file.sheet)}"
        return f"read_xlsx({sheet}, {place}header = false, all_varchar = true, stop_at_empty = false)"

    top = con.execute(f"from {cells(f'A1:{_letters(MAX_SHEET_COLUMNS)}{MAX_ROWS_ABOVE}')}").fetchall()
    tops = [[(cell or "").strip() for cell in row] for row in top]
    header = max(
        range(len(tops)),
        key=lambda row: (len(match(file.table.columns, [n for n in tops[row] if n])), any(tops[row]), -row),
    )
    names = tops[header]
    width = max((number for number, name in enumerate(names, start=1) if name), default=0)
    (rows,) = con.execute(f"select count(*) from {cells('')}").fetchone()
    # One column more than the header has, for a value that no name stands above.
    area = f"A{header + 1}:{_letters(width + 1)}{rows + MAX_ROWS_ABOVE}"
    described = con.execute(f"describe select * from {cells(area)}").fetchall()
    letters = [name for name, *_ in described]
    fields = [f"f{number}" for number in range(len(letters))]
    con.execute(f"""
        create or replace temp table {ROWS} as
        select * from (
            select {", ".join(f"{ident(name)} as {each}" for name, each in zip(letters, fields, strict=True))},
                row_number() over () + {header} as sheet_row
            from {cells(area)}
        ) where coalesce({", ".join(fields)}) is not null and sheet_row > {header + 1}
    """)
    nameless = [each for each, name in zip(fields, [*names[:width], ""], strict=False) if not name]
    for each in nameless:
        stray = con.execute(f"select sheet_row, {each} from {ROWS} where {each} is not null limit 1").fetchone()
        if stray:
            raise Refused(f"row {stray[0]} holds {stray[1]!r} in column {fields.index(each) + 1}, which has no name")
    found = {name: (each, "varchar") for each, name in zip(fields, names[:width], strict=False) if name}
    _check_names([name for name in names[:width] if name])
    return _relation(file, found, sql=ROWS, sql_strict=ROWS, place="sheet_row", source=source)


def _letters(column: int) -> str:
    """Column 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def _load_excel(con: duckdb.DuckDBPyConnection) -> None:
    """From its own package, where it lies: nothing is downloaded at night, nor installed in anyone's home."""
    import duckdb_extension_excel

    (path,) = Path(duckdb_extension_excel.__file__).parent.glob(
        f"extensions/v{duckdb.__version__}/excel.duckdb_extension"
    )
    con.execute(f"load {literal(str(path))}")


def _compression(text: Text) -> str:
    return f"compression = '{'gzip' if is_gzip(text.path) else 'uncompressed'}'"


_READERS = {"csv": _csv, "jsonl": _jsonl, "json": _json, "parquet": _parquet, "xlsx": _xlsx}


def _relation(file: ExtractFile, found: dict[str, tuple[str, str]], **how) -> Relation:
    matched = match(file.table.columns, list(found))
    taken = set(matched.values())
    fields = ", ".join(f"{ident(name)} := ({expression})::varchar" for name, (expression, _) in found.items())
    return Relation(
        columns={column: found[name] for column, name in matched.items()},
        found_as=matched,
        extra={name: value[0] for name, value in found.items() if name not in taken},
        names=tuple(found),
        **{"raw_text": f"to_json(struct_pack({fields}))::varchar"} | how,
    )


def _check_names(names: list[str], may_be_none: bool = False) -> None:
    if not [name for name in names if name] and not may_be_none:
        raise Refused("the file has no header")
    if "" in names:
        raise Refused(f"column {names.index('') + 1} of the header has no name")
    lowered = [name.lower() for name in names]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise Refused(f"column {', '.join(twice)} stands twice in the header")
