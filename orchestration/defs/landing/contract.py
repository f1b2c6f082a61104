"""The extract contract, read from the dbt sources YAML: the one place that says what an extract holds."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import yaml

STAGING = Path(__file__).resolve().parents[3] / "models" / "staging"


class ContractError(Exception):
    """The sources YAML cannot serve as a contract; the message names file and place."""


@dataclass(frozen=True)
class Column:
    name: str
    data_type: str
    required: bool = False
    accepted_values: tuple[str, ...] = ()
    is_event_time: bool = False
    watch_values: bool = False


@dataclass(frozen=True)
class Table:
    """One entity of a CRM. Without a `key` each row is an event and the whole row is its key."""

    crm: str
    name: str
    schema: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    latest_by: str | None = None
    max_share_set_aside: float = 0.05

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    @property
    def asset_key(self) -> tuple[str, str]:
        return (self.crm, self.name)


def load_contracts(folder: Path = STAGING) -> tuple[Table, ...]:
    """Read every `_<crm>__sources.yml` below `folder`; raises ContractError on what cannot be understood."""
    paths = sorted(folder.glob("*/_*__sources.yml"))
    return tuple(table for path in paths for table in _read(path, path.stat().st_mtime_ns))


@cache
def _read(path: Path, _modified_ns: int) -> tuple[Table, ...]:
    document = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return tuple(
        _table(path, source, table) for source in document.get("sources", []) for table in source.get("tables", [])
    )


def _table(path: Path, source: dict, table: dict) -> Table:
    where = f"{path.name}: {source['name']}.{table['name']}"
    meta = {**_meta(source), **_meta(table)}
    columns = tuple(_column(where, column) for column in table.get("columns", []))
    names = {column.name for column in columns}
    named = [*meta.get("key", []), *([meta["latest_by"]] if "latest_by" in meta else [])]
    unknown = [name for name in named if name not in names]
    if unknown:
        raise ContractError(f"{where}: key or latest_by names {', '.join(unknown)}, which is not a column")
    return Table(
        crm=source["name"],
        name=table["name"],
        schema=source.get("schema", source["name"]),
        columns=columns,
        key=tuple(meta.get("key", [])),
        latest_by=meta.get("latest_by"),
        max_share_set_aside=float(meta.get("max_share_set_aside", Table.max_share_set_aside)),
    )


def _column(where: str, column: dict) -> Column:
    if "data_type" not in column:
        raise ContractError(f"{where}.{column.get('name')}: data_type is missing")
    meta = _meta(column)
    return Column(
        name=column["name"],
        data_type=column["data_type"].lower(),
        required=bool(meta.get("required", False)),
        accepted_values=tuple(str(value) for value in meta.get("accepted_values", [])),
        is_event_time=bool(meta.get("is_event_time", False)),
        watch_values=bool(meta.get("watch_values", False)),
    )


def _meta(node: dict) -> dict:
    return node.get("config", {}).get("meta", {}) or {}
