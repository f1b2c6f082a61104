"""The extract contract, read from the dbt sources YAML: the one place that says what an extract holds."""

import codecs
import difflib
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from orchestration.defs.landing.names import snake, stem_key

STAGING = Path(__file__).resolve().parents[3] / "models" / "staging"

FORMAT_WORDS = ("iso", "epoch_seconds", "epoch_milliseconds")
_READING = ("decimal", "thousands", "null_words", "time_zone", "date_formats", "timestamp_formats")
_TABLE = ("key", "latest_by", "max_share_set_aside", "files", "rows_at", "encoding", "delimiter", *_READING)
_COLUMN = ("required", "accepted_values", "is_event_time", "watch_values", "names", *_READING)


class ContractError(Exception):
    """The sources YAML cannot serve as a contract; the message names file and place."""


@dataclass(frozen=True)
class Column:
    """`formats` are those of a date or time, in order of trial; `thousands` None lets blanks group digits."""

    name: str
    data_type: str
    required: bool = False
    accepted_values: tuple[str, ...] = ()
    is_event_time: bool = False
    watch_values: bool = False
    names: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    null_words: tuple[str, ...] = ()
    time_zone: str = "UTC"
    formats: tuple[str, ...] = ("iso",)


@dataclass(frozen=True)
class Table:
    """One entity of a CRM. Without a `key` each row is an event and the whole row is its key.

    `files` are the stems of file names that hold it; `rows_at` the places of the rows in a JSON document.
    """

    crm: str
    name: str
    schema: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    latest_by: str | None = None
    max_share_set_aside: float = 0.05
    files: tuple[str, ...] = ()
    rows_at: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    warn_after: timedelta | None = None
    error_after: timedelta | None = None

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    @property
    def asset_key(self) -> tuple[str, str]:
        return (self.crm, self.name)

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """Stems of file names, in the forms in which they are compared."""
        stems = self.files or (self.name,)
        return tuple(dict.fromkeys(form(stem) for stem in stems for form in (stem_key, snake)))


def load_contracts(folder: Path = STAGING) -> tuple[Table, ...]:
    """Read every `_<crm>__sources.yml` below `folder`; raises ContractError on what cannot be understood."""
    tables: list[Table] = []
    holders: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob("*/_*__sources.yml")):
        document = yaml.safe_load(path.read_text())
        for source in document.get("sources", []):
            for node in source.get("tables", []):
                table = _table(path, source, node)
                for stem in table.stems:
                    other = holders.setdefault((table.crm, stem), table.name)
                    if other != table.name:
                        raise ContractError(f"{path.name}: files called {stem} are both {other} and {table.name}")
                tables.append(table)
    return tuple(tables)


def _table(path: Path, source: dict, table: dict) -> Table:
    where = f"{path.name}: {source['name']}.{table['name']}"
    meta = {**_meta(source, where, _TABLE), **_meta(table, where, _TABLE)}
    columns = tuple(_column(where, column, meta) for column in table.get("columns", []))
    names = {column.name for column in columns}
    named = [*meta.get("key", []), *([meta["latest_by"]] if "latest_by" in meta else [])]
    unknown = [name for name in named if name not in names]
    if unknown:
        raise ContractError(f"{where}: key or latest_by names {', '.join(unknown)}, which is not a column")
    _check_names(where, columns)
    freshness = {**source.get("config", {}).get("freshness", {}), **table.get("config", {}).get("freshness", {})}
    return Table(
        crm=source["name"],
        name=table["name"],
        schema=source.get("schema", source["name"]),
        columns=columns,
        key=tuple(meta.get("key", [])),
        latest_by=meta.get("latest_by"),
        max_share_set_aside=float(meta.get("max_share_set_aside", Table.max_share_set_aside)),
        files=_texts(where, meta, "files"),
        rows_at=_places(where, meta),
        encoding=_encoding(where, meta.get("encoding")),
        delimiter=_one_of(where, meta, "delimiter", (None, ",", ";", "\t", "|")),
        warn_after=_span(where, freshness.get("warn_after")),
        error_after=_span(where, freshness.get("error_after")),
    )


def _column(where: str, column: dict, table_meta: dict) -> Column:
    where = f"{where}.{column.get('name')}"
    if "data_type" not in column:
        raise ContractError(f"{where}: data_type is missing")
    own = _meta(column, where, _COLUMN)
    meta = {name: table_meta[name] for name in _READING if name in table_meta} | own
    if {"date_formats", "timestamp_formats"} & own.keys():
        meta = {name: value for name, value in meta.items() if not name.endswith("_formats") or name in own}
    data_type = column["data_type"].lower()
    reading = Column(
        name=column["name"],
        data_type=data_type,
        required=bool(meta.get("required", False)),
        accepted_values=tuple(str(value) for value in meta.get("accepted_values", [])),
        is_event_time=bool(meta.get("is_event_time", False)),
        watch_values=bool(meta.get("watch_values", False)),
        names=_texts(where, meta, "names"),
        decimal=_one_of(where, meta, "decimal", (".", ",")),
        thousands=_one_of(where, meta, "thousands", (None, " ", ".", ",", "'", "")),
        null_words=tuple(word.strip().lower() for word in _texts(where, meta, "null_words")),
        time_zone=_time_zone(where, meta.get("time_zone", "UTC")),
        formats=_formats(where, meta, data_type),
    )
    if reading.decimal == reading.thousands:
        raise ContractError(f"{where}: decimal and thousands are both {reading.decimal!r}")
    return reading


def _formats(where: str, meta: dict, data_type: str) -> tuple[str, ...]:
    """Formats of the column's own type, then those of the other: a time may be written as a bare day."""
    first, second = "date_formats", "timestamp_formats"
    if data_type.startswith("timestamp"):
        first, second = second, first
    formats = dict.fromkeys([*(_texts(where, meta, first) or ("iso",)), *_texts(where, meta, second)])
    wrong = [each for each in formats if "%" not in each and each not in FORMAT_WORDS]
    if wrong:
        raise ContractError(f"{where}: {', '.join(wrong)} is neither a format like %d.%m.%Y nor {FORMAT_WORDS}")
    return tuple(formats)


def _meta(node: dict, where: str, known: tuple[str, ...]) -> dict:
    """The node's meta; a setting that is nearly one of ours is a slip of the pen."""
    meta = node.get("config", {}).get("meta", {}) or {}
    for name in meta.keys() - set(known):
        if near := difflib.get_close_matches(str(name), known, 1, cutoff=0.8):
            raise ContractError(f"{where}: there is no setting {name}; did you mean {near[0]}?")
    return meta


def _check_names(where: str, columns: tuple[Column, ...]) -> None:
    owners: dict[str, str] = {}
    for column in columns:
        for name in (column.name, *column.names):
            if owners.setdefault(snake(name), column.name) != column.name:
                raise ContractError(f"{where}: {name} names both {owners[snake(name)]} and {column.name}")


def _texts(where: str, meta: dict, name: str) -> tuple[str, ...]:
    values = meta.get(name, [])
    if isinstance(values, str) or not isinstance(values, list | tuple):
        raise ContractError(f"{where}: {name} must be a list, as in [{values}]")
    return tuple(str(value) for value in values)


def _places(where: str, meta: dict) -> tuple[str, ...]:
    places = _texts(where, meta, "rows_at")
    for place in places:
        if not re.fullmatch(r"([\w-]+|\*)(\.([\w-]+|\*))*", place):
            raise ContractError(f"{where}: rows_at {place!r} is no path like result.items")
    return places


def _one_of(where: str, meta: dict, name: str, allowed: tuple):
    value = meta.get(name, allowed[0])
    if value not in allowed:
        raise ContractError(f"{where}: {name} is {value!r}, none of {', '.join(map(repr, allowed))}")
    return value


def _encoding(where: str, name: str | None) -> str | None:
    try:
        return name and codecs.lookup(name).name
    except LookupError:
        raise ContractError(f"{where}: no encoding is called {name}") from None


def _time_zone(where: str, name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, LookupError):
        raise ContractError(f"{where}: no time zone is called {name}") from None


def _span(where: str, span: dict | None) -> timedelta | None:
    try:
        return span and timedelta(**{f"{span['period']}s": float(span["count"])})
    except (KeyError, TypeError, ValueError):
        raise ContractError(f"{where}: freshness needs a count and a period, minute, hour or day") from None
