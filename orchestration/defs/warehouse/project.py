"""The dbt project as the job sees it: its manifest, kept fresh, and whether its code has changed since a build."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import duckdb

from orchestration.defs.landing.sql import ident, literal
from orchestration.defs.warehouse.indicators import write_refs
from orchestration.settings import PROJECT_DIR, Settings

# What an indicator's YAML declares is part of what is built from it.
CODE = (
    "models/**/*.sql",
    "models/marts/indicators/_indicators__models.yml",
    "macros/**/*.sql",
    "seeds/**/*.csv",
    "dbt_project.yml",
)
DATA = ("seeds/review_verdicts.csv",)  # grows by what people decide; it is loaded every night and changes no code
STAMP = "parsed"
PARSED = (*CODE, "models/**/*.yml", "seeds/**/*.yml", "tests/data/**/*.sql", "profiles.yml")


class ProjectError(Exception):
    """dbt cannot read the project; the message is dbt's own."""


_parsing = Lock()


def manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest, parsed anew only when a file of the project has changed."""
    with _parsing:
        write_refs()
        project = fingerprint(PARSED)
        path = settings.dbt_target / "manifest.json"
        if not path.exists() or parsed(settings) != project:
            _parse(settings)
            (settings.dbt_target / STAMP).write_text(project)
        return _read(path, project)


def parse_ahead(settings: Settings) -> None:
    """Let dbt read the project on one core while Dagster is imported on the other; whoever asks next waits for it."""

    def parse() -> None:
        with suppress(ProjectError):  # told to whoever asks next
            manifest(settings)

    Thread(target=parse, daemon=True).start()


def parsed(settings: Settings) -> str | None:
    """The fingerprint of the project that dbt parsed last, if it did."""
    stamp = settings.dbt_target / STAMP
    return stamp.read_text() if stamp.exists() else None


@cache
def _read(path: Path, _: str) -> dict[str, Any]:
    return json.loads(path.read_text())


def _parse(settings: Settings) -> None:
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("dbt")), "parse", "--target-path", str(settings.dbt_target)]
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProjectError(f"dbt cannot read the project:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")


def marts(settings: Settings) -> list[str]:
    """Names of the models under models/marts, which are what is published."""
    return sorted(node["name"] for node in manifest(settings)["nodes"].values() if is_mart(node))


def not_compared(settings: Settings) -> list[str]:
    """What says `meta: {compared: false}`: tables, as `name`, and columns, as `name.column`."""
    nodes = [node for node in manifest(settings)["nodes"].values() if is_mart(node)]
    named = {node["name"]: node for node in nodes} | {
        f"{node['name']}.{name}": column for node in nodes for name, column in node["columns"].items()
    }
    return [name for name, said in named.items() if said["config"].get("meta", {}).get("compared") is False]


def is_mart(node: dict[str, Any]) -> bool:
    return node["resource_type"] == "model" and node["fqn"][1] == "marts"


def fingerprint(patterns: Iterable[str]) -> str:
    """A hash over the content and names of the project's files that match, those in DATA aside."""
    digest = hashlib.sha256()
    data = {PROJECT_DIR / name for name in DATA}
    for path in sorted({path for pattern in patterns for path in PROJECT_DIR.glob(pattern)} - data):
        digest.update(f"{path.relative_to(PROJECT_DIR)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_built_from(con: duckdb.DuckDBPyConnection, marts: Path, load_id: int) -> bool:
    """Whether a table holds rows of this load or a later one: dbt was run by hand before gate 1 had judged it."""
    if marts.exists():
        con.execute(f"attach {literal(str(marts))} as marts (read_only)")
    tables = con.execute(
        """
        select database_name, schema_name, table_name from duckdb_columns()
        where column_name = '_load_id' and database_name <> 'temp' and not starts_with(schema_name, 'raw_')
            and table_name not in (select view_name from duckdb_views())
        """
    ).fetchall()
    newest = [con.execute(f"select max(_load_id) from {ident(*table)}").fetchone()[0] for table in tables]
    if marts.exists():
        con.execute("detach marts")
    return any(load is not None and load >= load_id for load in newest)


class BuiltFrom:
    """Which code the warehouse was built from, and that the build passed. Anything else means a full build."""

    def __init__(self, settings: Settings) -> None:
        self.warehouse = settings.warehouse
        self.path = settings.warehouse.parent / "built_from"
        self.code = fingerprint(CODE)

    @property
    def is_current(self) -> bool:
        return self.path.exists() and self.path.read_text() == self.code and self._has_views()

    def _has_views(self) -> bool:
        """Not so where someone removed the warehouse and landing made a new one."""
        with duckdb.connect(str(self.warehouse), read_only=True) as con:
            return con.execute("select count(*) from duckdb_views() where schema_name = 'staging'").fetchone()[0] > 0

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def remember(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(self.code)
        fresh.replace(self.path)
