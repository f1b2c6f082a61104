"""A team's own file: the publication with only its rows, for those who may not see the others'.

A row is the team's if all that it says of a team is this team: its column `team`, its deal, else its owner, else its
account. A table that says none of it speaks of everybody, and stays out, unless its `meta: team_rows` says otherwise:
`all`, or a condition in which :team is the team.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.defs.landing.sql import ident, literal
from orchestration.defs.publish.copies import write_copy
from orchestration.defs.publish.publish import (
    PublicationError,
    describe,
    forget_unmasked,
    release,
    write_parquet,
)
from orchestration.defs.warehouse.project import is_mart, manifest
from orchestration.settings import Settings

NAME = "team"  # the file in a team's folder that holds its name
OWN = ("publication", "publication_columns")


@dataclass(frozen=True)
class TeamFile:
    """What a team was given, and the tables that stayed out because they speak of everybody."""

    folder: Path
    tables: dict[str, int]
    left_out: list[str]

    @property
    def database(self) -> Path:
        return self.folder / "inflight.duckdb"


def publish_team(settings: Settings, team: str) -> TeamFile:
    """Write the team's file from what BI sees now, so it has passed the gates. Raises PublicationError."""
    published = settings.published_database.resolve()
    if not published.exists():
        raise PublicationError("nothing is published yet; run: inflight nightly")
    folder = team_folder(settings, team)
    if (folder / NAME).exists() and (folder / NAME).read_text() != team:
        raise PublicationError(f"{folder} is the folder of team {(folder / NAME).read_text()!r}")
    with duckdb.connect(str(published), read_only=True) as con:
        teams = [row[0] for row in con.execute("select distinct team from dim_deals order by 1").fetchall()]
        if team not in teams:
            raise PublicationError(f"there is no team {team!r}; there are {', '.join(map(str, teams))}")
        about = con.execute(
            "select distinct publication_id, published_at, as_of, run_id, checks_passed, privacy from publication"
        ).fetchone()
        columns = _columns(con)
    conditions = {name: _condition(columns[name], rule) for name, rule in _rules(settings, columns).items()}
    kept = sorted(name for name, condition in conditions.items() if condition)
    publication_id, published_at, as_of, run_id, checks_passed, privacy = about
    rows = {name: conditions[name].replace(":team", literal(team)) for name in kept}
    with (
        release(folder, f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{run_id[:8]}") as building,
        duckdb.connect(str(building / "inflight.duckdb")) as con,
    ):
        con.execute("set preserve_insertion_order = false")
        write_copy(con, published, kept, lambda relation, table, names: _select(relation, names, rows[table]))
        tables = describe(con, kept, publication_id, published_at, as_of, run_id, checks_passed, privacy)
        write_parquet(con, building / "parquet", folder / "current" / "parquet", tables)
        con.execute("checkpoint")
    (folder / NAME).write_text(team)
    if privacy == "masked":
        forget_unmasked(folder / "releases")
    return TeamFile(folder, {name: rows for name, (rows, _) in tables.items()}, sorted(conditions.keys() - set(kept)))


def _select(relation: str, columns: list[str], condition: str) -> str:
    return f"select {', '.join(map(ident, columns))} from {relation} where {condition}"


def team_folder(settings: Settings, team: str) -> Path:
    """Where the team's file, its releases and its Parquet lie."""
    return settings.published / "teams" / slug(team)


def team_database(settings: Settings, team: str) -> Path:
    """What the team opens, read-only."""
    return team_folder(settings, team) / "inflight.duckdb"


def teams_with_files(settings: Settings) -> Iterator[str]:
    """Teams that have a file, which each publication brings up to date."""
    for path in sorted((settings.published / "teams").glob(f"*/{NAME}")):
        yield path.read_text()


def slug(team: str) -> str:
    """A folder's name for a team, another one for each."""
    name = re.sub(r"[\W_]+", "_", team.lower()).strip("_")
    name = name.encode()[:40].decode(errors="ignore")  # PostgreSQL's names have 63 bytes, and this is a part of one
    return name if name == team.lower() else f"{name}_{hashlib.sha256(team.encode()).hexdigest()[:6]}"


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    columns: dict[str, set[str]] = {}
    for table, column in con.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'main' and not internal"
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    return columns


def _rules(settings: Settings, tables: dict[str, set[str]]) -> dict[str, str | None]:
    """Published table -> what its model says of a team's rows, if it says anything."""
    models = {node["name"]: node for node in manifest(settings)["nodes"].values() if is_mart(node)}
    said = {name: models[name]["config"].get("meta", {}).get("team_rows") for name in tables if name in models}
    return {name: said.get(name) for name in tables if name not in OWN}


def _condition(columns: set[str], rule: str | None) -> str | None:
    """Which rows are the team's; None where the table cannot tell."""
    if rule:
        return "true" if rule == "all" else rule
    deals = "source.main.dim_deals where team = :team"
    conditions = []
    if "team" in columns:
        conditions.append("team = :team")
    if "deal_id" in columns:
        conditions.append(f"deal_id in (select deal_id from {deals})")
    elif "owner_id" in columns and not conditions:
        conditions.append("owner_id in (select user_id from source.main.dim_users where team = :team)")
    elif "account_id" in columns and not conditions:
        conditions.append(f"account_id in (select account_id from {deals})")
    return " and ".join(conditions) or None
