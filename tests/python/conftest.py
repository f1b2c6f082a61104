"""Shared by all tests: a data folder of its own for each, and extracts small enough to read."""

import csv
import gzip
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.defs.landing.contract import Table, load_contracts
from orchestration.defs.landing.land import land, open_warehouse
from orchestration.defs.landing.ledger import Outcome, accept
from orchestration.settings import PROJECT_DIR, Settings
from tests.python.models import Models, give_project

DEAL = {
    "deal_id": "1",
    "deal_name": "Acme",
    "pipeline": "sales",
    "stage": "Qualification",
    "status": "open",
    "amount": "100.00",
    "created_at": "2026-01-01 10:00:00",
    "updated_at": "2026-01-02 10:00:00",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole nights first: a worker that is left with one of them at the end works alone."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The project, compiled once for all tests."""
    return Models.compile(tmp_path_factory.mktemp("compiled"))


def contract(folder: Path, columns: dict[str, str | dict], **meta) -> tuple[Table, ...]:
    """A contract of one CRM, x, with one entity, deals, as its YAML would say it; columns: type, or type and meta."""
    described = []
    for name, column in columns.items():
        column = {"data_type": column} if isinstance(column, str) else dict(column)
        described.append({"name": name, "data_type": column.pop("data_type"), "config": {"meta": column}})
    freshness = meta.pop("freshness", {})
    table = {"name": "deals", "columns": described, "config": {"meta": {"max_share_set_aside": 1, **meta}}}
    source = {"name": "x", "schema": "raw_x", "config": {"freshness": freshness}, "tables": [table]}
    (folder / "x").mkdir(parents=True, exist_ok=True)
    (folder / "x" / "_x__sources.yml").write_text(yaml.safe_dump({"sources": [source]}, allow_unicode=True))
    return load_contracts(folder)


class Extracts:
    """Writes extract files below a data folder and lands them."""

    def __init__(self, settings: Settings, crm: str = "generic") -> None:
        self.settings = settings
        self.crm = crm

    def path(self, name: str, day: str = "2026-01-31") -> Path:
        path = self.settings.extracts / self.crm / day / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def data(self, name: str, data: bytes, day: str = "2026-01-31") -> Path:
        path = self.path(name, day)
        path.write_bytes(data)
        return path

    def text(self, name: str, text: str, day: str = "2026-01-31") -> Path:
        path = self.path(name, day)
        data = text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    def csv(self, name: str, rows: list[dict], day: str = "2026-01-31") -> Path:
        path = self.path(name, day)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return path

    def jsonl(self, name: str, rows: list[dict], day: str = "2026-01-31") -> Path:
        return self.text(name, "".join(json.dumps(row) + "\n" for row in rows), day)

    def deals(self, *changes: dict, day: str = "2026-01-31", name: str = "deals.csv") -> Path:
        return self.csv(name, [{**DEAL, **change} for change in changes], day)

    def land(
        self, limit: float = 1.0, accepted: bool = True, contracts: tuple[Table, ...] | None = None
    ) -> list[Outcome]:
        """Land all, with a limit of its own on the share of rows that may be set aside."""
        contracts = tuple(replace(table, max_share_set_aside=limit) for table in contracts or load_contracts())
        with open_warehouse(self.settings) as con:
            outcomes = land(con, self.settings, contracts)
            if accepted:
                accept(con)
        return outcomes

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.settings.warehouse)) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(sql).fetchall()


@pytest.fixture
def extracts(settings: Settings) -> Extracts:
    return Extracts(settings)


def inflight(data: Path, *args: str, project: Path = PROJECT_DIR, check: bool = True) -> subprocess.CompletedProcess:
    """Run the command line on `data`, as a user would."""
    if project == PROJECT_DIR:
        give_project(Settings(data))
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *args],
        cwd=project,
        env={**os.environ, "INFLIGHT_DATA": str(data), "DAGSTER_HOME": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if check and done.returncode:
        log = data / "nightly.log"
        tail = log.read_text()[-4000:] if log.exists() else ""
        pytest.fail(f"inflight {' '.join(args)} failed:\n{done.stdout}\n{done.stderr}\n{tail}")
    return done
