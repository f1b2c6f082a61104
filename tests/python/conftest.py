"""Shared by all tests: a data folder of its own for each, and extracts small enough to read."""

import csv
import fcntl
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.defs.landing.contract import Table, load_contracts
from orchestration.defs.landing.land import land, open_warehouse
from orchestration.defs.landing.ledger import Outcome, accept
from orchestration.sample.company import Company
from orchestration.sample.extracts import write_extracts
from orchestration.sample.simulate import simulate
from orchestration.sample.world import World
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


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A data folder that is made once for all processes of a run; tests copy it and do not change it."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "made").exists():
            make(shared / "data")
            (shared / "made").touch()
    return shared / "data"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The project, compiled once for all tests."""
    return Models(Settings(once(tmp_path_factory, "compiled", Models.compile)))


# A night that many tests look at: a small company of the generic layout, and five CRMs' own files, in the shapes that
# CRMs and loaders give. The company goes on for a month.
NIGHT_1 = datetime(2026, 6, 30, 23, 59, 59)
NIGHT_2 = datetime(2026, 7, 31, 23, 59, 59)
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


@pytest.fixture(scope="session")
def world() -> World:
    return simulate(Company(seed=3, deals_per_week=12.0, start=date(2024, 8, 1), until=NIGHT_2.date()))


@pytest.fixture(scope="session")
def first_night(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """After the first night."""

    def make(data: Path) -> None:
        write_extracts(world, data / "extracts" / "generic", NIGHT_1)
        shutil.copytree(FIXTURES, data / "extracts", dirs_exist_ok=True)
        inflight(data, "nightly")

    return once(tmp_path_factory, "first_night", make)


@pytest.fixture(scope="session")
def at_once(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """After one night with all that two nights bring, in a project that has one model more."""

    def make(data: Path) -> None:
        write_extracts(world, data / "extracts" / "generic", NIGHT_2)
        shutil.copytree(FIXTURES, data / "extracts", dirs_exist_ok=True)
        inflight(data, "nightly", project=with_one_more_mart(data.parent / "project"))

    return once(tmp_path_factory, "at_once", make)


def with_one_more_mart(project: Path) -> Path:
    """A copy of the project with an SQL file and its YAML, as docs/adding-a-model.md asks for."""
    shutil.copytree(
        PROJECT_DIR,
        project,
        ignore=lambda _, names: [n for n in names if n in ("data", "target", "logs") or n.startswith(".")],
    )
    folder = project / "models" / "marts" / "funnel"
    (folder / "fct_losses.sql").write_text(
        "select deal_id, lost_at from {{ ref('fct_deals') }} where status = 'lost'\n"
    )
    (folder / "_fct_losses.yml").write_text(
        "version: 2\n"
        "models:\n"
        "  - name: fct_losses\n"
        "    columns:\n"
        "      - {name: deal_id, data_type: varchar, data_tests: [unique, not_null]}\n"
        "      - {name: lost_at, data_type: timestamp}\n"
    )
    return project


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
