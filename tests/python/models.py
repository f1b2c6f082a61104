"""The models' own SQL on tables made by hand, in memory: for truths that need many companies, not a whole night.

dbt compiles the project once, for a first build; the models then run here as often as a test likes:

    warehouse = Models.compile(folder).warehouse("fct_stage_visits", given=["stg_as_of", "generic.deals"])
    warehouse.build({"stg_as_of": [{"as_of": …}], "generic.deals": [{"deal_id": "1", …}]})
    warehouse.rows("select * from fct_stage_visits")
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.ledger import prepare
from orchestration.defs.landing.sql import ident, literal
from orchestration.defs.warehouse.project import STAMP, manifest
from orchestration.settings import PROJECT_DIR, Settings

Rows = Iterable[Mapping[str, Any]]
EMPTY = "empty.json"  # the columns of each model, with their types, and which have no rows where nothing landed


def dbt(settings: Settings, *args: str, project: Path = PROJECT_DIR) -> str:
    """Run dbt on `settings.data`, as the nightly job does; returns what it says."""
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    command, stdin = [str(Path(sys.executable).with_name("dbt")), *args], None
    if project == PROJECT_DIR:
        give_project(settings)
        command, stdin = [sys.executable, "-m", "orchestration.defs.warehouse.ahead"], json.dumps(args)
    done = subprocess.run(
        command,
        input=stdin,
        cwd=project,
        env={
            **os.environ,
            "INFLIGHT_DATA": str(settings.data),
            "DBT_TARGET_PATH": str(settings.dbt_target),
            "DBT_LOG_PATH": str(settings.dbt_target / "logs"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"dbt {' '.join(args)} failed:\n{done.stdout[-5000:]}{done.stderr[-1000:]}"
    return done.stdout


def give_project(settings: Settings) -> None:
    """Let a data folder have the project as dbt parsed it, once for all tests until one of its files changes."""
    if settings.dbt_target.exists():
        return
    shared = Settings(PROJECT_DIR / "target" / "tests")
    shared.data.mkdir(parents=True, exist_ok=True)
    with (shared.data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest(shared)
    kept = ["manifest.json", "semantic_manifest.json", "partial_parse.msgpack", STAMP]
    settings.dbt_target.mkdir(parents=True)
    for name in kept:
        shutil.copyfile(shared.dbt_target / name, settings.dbt_target / name)


class Models:
    """The compiled project: every model's SQL and what it reads; the data folder is still empty."""

    def __init__(self, settings: Settings) -> None:
        manifest = json.loads((settings.dbt_target / "manifest.json").read_text())
        self.settings = settings
        self.code: dict[str, str] = {
            node["name"]: node["compiled_code"] for node in manifest["nodes"].values() if node.get("compiled_code")
        }
        self.parents: dict[str, list[str]] = manifest["parent_map"]
        self.nodes = {
            unique_id: node
            for unique_id, node in {**manifest["nodes"], **manifest["sources"]}.items()
            if node["resource_type"] in ("model", "seed", "source")
        }
        self.ids = {_name(node): unique_id for unique_id, node in self.nodes.items()}
        known = settings.dbt_target / EMPTY
        self.columns: dict[str, dict[str, str]]
        self.empty: list[str]
        self.columns, self.empty = json.loads(known.read_text()) if known.exists() else ({}, [])

    @classmethod
    def compile(cls, folder: Path, project: Path = PROJECT_DIR) -> "Models":
        """Compile the project for its first build, on a data folder that is empty."""
        settings = Settings(folder)
        dbt(settings, "compile", "--select", "resource_type:model", "resource_type:seed", project=project)
        models = cls(settings)
        empty = Warehouse(models, [node for node in models.nodes if node.startswith("model.")], {})
        columns = {node: empty.types(node) for node in empty.needed}
        without_rows = [node for node in empty.needed if empty.is_empty(node)]
        (settings.dbt_target / EMPTY).write_text(json.dumps([columns, without_rows]))
        return cls(settings)

    def warehouse(self, *models: str, given: Iterable[str]) -> "Warehouse":
        """What `models` are made of, in memory and empty; the models and sources that are `given` are to be filled."""
        return Warehouse(self, [self.ids[name] for name in models], {name: self.ids[name] for name in given})

    def lineage(self, wanted: Iterable[str], given: Iterable[str] = ()) -> list[str]:
        """`wanted` and all they are made of, what is read before who reads it; what is `given` is made of nothing."""
        found: dict[str, None] = {}

        def visit(unique_id: str) -> None:
            if unique_id in self.nodes and unique_id not in found:
                for parent in self.parents.get(unique_id, []) if unique_id not in given else []:
                    visit(parent)
                found[unique_id] = None

        for unique_id in wanted:
            visit(unique_id)
        return list(found)


class Warehouse:
    """An empty warehouse in memory, under the names of the real one."""

    def __init__(self, models: Models, wanted: list[str], given: dict[str, str]) -> None:
        self.models = models
        self.given = given
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute("set TimeZone = 'UTC'")
        self.needed = models.lineage([*wanted, *given.values()], set(given.values()))
        for database in sorted({"inflight", *(models.nodes[node]["database"] for node in self.needed)}):
            self.con.execute(f"attach ':memory:' as {ident(database)}")
        self.con.execute("use inflight")
        prepare(self.con, load_contracts())
        changing = set(given.values())
        crms = {models.nodes[node].get("source_name") for node in changing}
        for node in self.needed:
            layer, *folders = models.nodes[node]["fqn"][1:-1] or [""]
            is_of_another_crm = layer == "staging" and folders and folders[0] not in crms
            if changing & set(models.parents.get(node, [])) and not is_of_another_crm:
                changing.add(node)
        # what no row can reach stays empty
        self.empty = {*given.values(), *(node for node in models.empty if node not in changing)}
        for node in self.needed:
            self._create(node)
        self.rebuilt = [node for node in self.needed if node in changing - self.empty and _is_table(models.nodes[node])]

    def build(self, tables: Mapping[str, Rows]) -> None:
        """Fill what is given, with nothing where `tables` does not name it, and build the models anew."""
        unknown = tables.keys() - self.given.keys()
        assert not unknown, f"not among what is given: {sorted(unknown)}"
        for name, unique_id in self.given.items():
            self.con.execute(f"delete from {self._relation(unique_id)}")
            self._insert(unique_id, list(tables.get(name, [])))
        self.rebuild()

    def rebuild(self, *models: str) -> None:
        """Build the models anew on what is given now, or only those named."""
        for unique_id in [self.models.ids[name] for name in models] or self.rebuilt:
            self._create(unique_id)

    def relation(self, name: str) -> str:
        """The full name of a model's or source's table, quoted."""
        return self._relation(self.models.ids[name])

    def fill(self, tables: Mapping[str, Any]) -> None:
        """Fill what is given from data frames, under the names of their columns, and leave the models as they are."""
        for name, frame in tables.items():
            relation = self._relation(self.given[name])
            self.con.execute(f"delete from {relation}")
            self.con.register("frame", frame)
            self.con.execute(f"insert into {relation} by name select * from frame")
            self.con.unregister("frame")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query, in which a model may be called by its bare name."""
        self.con.execute(f"set search_path = {literal(','.join(self._schemas()))}")
        result = self.con.execute(sql)
        columns = [column[0] for column in result.description]
        rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
        self.con.execute("use inflight")
        return rows

    def _schemas(self) -> list[str]:
        nodes = self.models.nodes.values()
        return sorted({f"{node['database']}.{node['schema']}" for node in nodes if self._exists(node)})

    def _exists(self, node: dict[str, Any]) -> bool:
        found = "select 1 from duckdb_schemas() where database_name = ? and schema_name = ?"
        return bool(self.con.execute(found, [node["database"], node["schema"]]).fetchone())

    def _relation(self, unique_id: str) -> str:
        return self.models.nodes[unique_id]["relation_name"]

    def _create(self, unique_id: str) -> None:
        node, relation = self.models.nodes[unique_id], self._relation(unique_id)
        if node["resource_type"] == "source":
            return  # landing made it
        self.con.execute(f"create schema if not exists {ident(node['database'], node['schema'])}")
        if node["resource_type"] == "seed":
            types = node["config"].get("column_types") or {}
            path = literal(str(PROJECT_DIR / node["original_file_path"]))
            columns = ", ".join(f"{literal(name)}: {literal(str(kind))}" for name, kind in types.items())
            self.con.execute(f"create table {relation} as from read_csv({path}, header = true, types = {{{columns}}})")
        elif unique_id in self.empty:
            columns = ", ".join(f"{ident(name)} {kind}" for name, kind in self.models.columns[unique_id].items())
            self.con.execute(f"create table {relation} ({columns})")
        else:
            kind = "table" if _is_table(node) else "view"
            self.con.execute(f"create or replace {kind} {relation} as {node['compiled_code']}")

    def types(self, unique_id: str) -> dict[str, str]:
        """The columns of a node's table, and their types."""
        described = self.con.execute(f"describe {self._relation(unique_id)}").fetchall()
        return {column: kind for column, kind, *_ in described}

    def is_empty(self, unique_id: str) -> bool:
        return not self.con.execute(f"select 1 from {self._relation(unique_id)} limit 1").fetchall()

    def _insert(self, unique_id: str, rows: list[Mapping[str, Any]]) -> None:
        """Rows under the names of the table's columns; a column that no row names is null."""
        relation, types = self._relation(unique_id), self.types(unique_id)
        unknown = {name for row in rows for name in row} - types.keys()
        assert not unknown, f"{relation} has no column {sorted(unknown)}"
        shape = literal(json.dumps([types]))
        data = json.dumps([dict(row) for row in rows], default=str)
        self.con.execute(
            f"insert into {relation} by name select unnest(from_json(?::json, {shape}), max_depth := 2)", [data]
        )


def _name(node: dict[str, Any]) -> str:
    """A model or seed is called by its name, a source by CRM and entity."""
    return f"{node['source_name']}.{node['name']}" if node["resource_type"] == "source" else node["name"]


def _is_table(node: dict[str, Any]) -> bool:
    return node["config"]["materialized"] != "view"
