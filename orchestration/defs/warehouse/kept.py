"""Tables that are kept from night to night and cannot be made anew: docs/decisions/0012-what-was-said-is-kept.md."""

from collections.abc import Mapping
from typing import Any

import duckdb

from orchestration.defs.landing.sql import ident, literal
from orchestration.settings import Settings

TABLES = "select table_name from duckdb_tables() where database_name = ? and schema_name = 'main'"


def kept_marts(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the models whose YAML or config says `meta: {kept: true}`."""
    return sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"].get("meta", {}).get("kept")
    )


def restore(settings: Settings, names: list[str]) -> list[str]:
    """Take from the last publication those of `names` that the marts lack; returns which were taken."""
    if not settings.published_database.exists():
        return []
    with duckdb.connect() as con:
        con.execute(f"attach {literal(str(settings.marts))} as marts")
        con.execute(f"attach {literal(str(settings.published_database.resolve()))} as published (read_only)")
        there, told = ({row[0] for row in con.execute(TABLES, [name]).fetchall()} for name in ("marts", "published"))
        missing = [name for name in names if name in told and name not in there]
        for name in missing:
            con.execute(f"create table {ident('marts', 'main', name)} as from {ident('published', 'main', name)}")
    return missing
