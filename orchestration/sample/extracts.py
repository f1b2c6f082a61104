"""Extracts of the example company as files, in the formats a CRM may send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd

from orchestration.sample.clock import seconds
from orchestration.sample.known import known_at
from orchestration.sample.world import LAYOUT, World

DEFAULT: Mapping[str, str] = {
    "deals": "csv",
    "stage_changes": "csv.gz",
    "field_changes": "jsonl",
    "activities": "parquet",
    "tasks": "parquet",
    "accounts": "csv",
    "contacts": "csv.gz",
    "deal_contacts": "jsonl",
    "users": "csv",
    "stages": "csv",
    "revenue_events": "parquet",
}
"""The format of each entity; an entity that is not named is written as csv."""

_TIMES = "DATEFORMAT '%Y-%m-%d', TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S'"
_COPY = {
    "csv": f"FORMAT csv, HEADER, {_TIMES}",
    "csv.gz": f"FORMAT csv, HEADER, COMPRESSION gzip, {_TIMES}",
    "jsonl": f"FORMAT json, {_TIMES}",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}


def write_extracts(
    world: World,
    folder: Path,
    as_of: datetime,
    since: datetime | None = None,
    formats: Mapping[str, str] = DEFAULT,
) -> list[Path]:
    """Writes what was known at `as_of` to `folder/<its date>/<entity>.<format>` and returns the files.

    With `since`, writes what changed after it to `<entity>.delta.<format>`, and no file for an entity
    without a change. Times are UTC; the same world and moments give the same bytes.
    """
    day = datetime.fromtimestamp(seconds(as_of), UTC).strftime("%Y-%m-%d")
    target = Path(folder) / day
    target.mkdir(parents=True, exist_ok=True)
    part = "" if since is None else ".delta"
    written = []
    with duckdb.connect() as connection:
        # Text columns may begin with many nulls, so types are stated below and never guessed.
        connection.execute("SET GLOBAL pandas_analyze_sample = 0")
        connection.execute("SET threads = 1")
        for entity, table in known_at(world, as_of, since).items():
            if since is not None and table.empty:
                continue
            kind = formats.get(entity, "csv")
            path = target / f"{entity}{part}.{kind}"
            _write(connection, entity, table, path, kind)
            written.append(path)
    return written


def _write(
    connection: duckdb.DuckDBPyConnection,
    entity: str,
    table: pd.DataFrame,
    path: Path,
    kind: str,
) -> None:
    """Writes one table under a name no reader looks for, then renames it, so no half file is ever seen."""
    if kind not in _COPY:
        raise ValueError(f"unknown format {kind!r} for {entity}; known are {', '.join(_COPY)}")
    columns = ", ".join(f'CAST("{name}" AS {sql}) AS "{name}"' for name, sql in LAYOUT[entity].items())
    unfinished = path.with_name(f".{path.name}.part")
    connection.register("extract", table)
    try:
        name = str(unfinished).replace("'", "''")
        connection.execute(f"COPY (SELECT {columns} FROM extract) TO '{name}' ({_COPY[kind]})")
    finally:
        connection.unregister("extract")
    unfinished.replace(path)
