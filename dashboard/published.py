"""The published file, as every page reads it.

A page reads one publication from its first query to its last, through one read-only connection that is closed when the
page stands: a night that publishes meanwhile is never in anybody's way, and the next click shows what it published.
What a query gave is kept until then, by publication.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import streamlit as st

Value = str | int | float | date | datetime | None
CONFIG = {"threads": 2, "memory_limit": "1GB", "enable_external_access": "false"}


class NotPublished(Exception):
    """There is no publication to read, or none that can be; the message says why."""


@dataclass
class Published:
    """One publication. `stamp` changes when another file takes its place."""

    path: Path
    stamp: str
    publication_id: str = ""
    published_at: datetime | None = None
    as_of: datetime | None = None
    checks_passed: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    _con: duckdb.DuckDBPyConnection | None = None

    @classmethod
    def find(cls, database: Path) -> "Published":
        """The publication that `database` names now. It is a link that a night moves: followed once, here."""
        try:
            path = database.resolve(strict=True)
            seen = path.stat()
        except OSError:
            raise NotPublished("nothing") from None
        published = cls(path, f"{path}|{seen.st_ino}|{seen.st_mtime_ns}|{seen.st_size}")
        if not published._has_table("publication"):
            raise NotPublished("not ours")
        listed = published.query("select * from publication order by table_name")
        if listed.empty:
            raise NotPublished("nothing")
        first = listed.iloc[0]
        published.publication_id = str(first["publication_id"])
        published.published_at = _moment(first["published_at"])
        published.as_of = _moment(first["as_of"])
        published.checks_passed = int(first["checks_passed"] or 0)
        published.rows = dict(zip(listed["table_name"], listed["row_count"].astype(int), strict=True))
        return published

    @property
    def as_of_day(self) -> date:
        """The last day the figures know. A publication without any extract has none: the day it was made stands in."""
        moment = self.as_of or self.published_at or datetime(1970, 1, 1)
        return moment.date()

    def has(self, *tables: str) -> bool:
        """Whether this publication holds the tables; one made by an older version may not."""
        return all(table in self.rows for table in tables)

    def query(self, sql: str, **values: Value) -> pd.DataFrame:
        """Rows of a query. `$name` in it stands for a value, bound; values it does not name are left out."""
        return _kept(self.stamp, sql, tuple(self._named(sql, values).items()), self)

    def fresh(self, sql: str, **values: Value) -> pd.DataFrame:
        """Rows of a query that nobody keeps, through a connection of its own: for exports, which run beside pages."""
        with Published(self.path, self.stamp) as own:
            return own._run(sql, self._named(sql, values))

    def first(self, sql: str, **values: Value) -> dict[str, Any]:
        """The one row of a query, by column; an empty dict where there is none."""
        found = self.query(sql, **values)
        return {} if found.empty else found.iloc[0].to_dict()

    def column(self, sql: str, **values: Value) -> list[Any]:
        """The first column of a query."""
        return self.query(sql, **values).iloc[:, 0].tolist()

    def __enter__(self) -> "Published":
        return self

    def __exit__(self, *_: object) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None

    @staticmethod
    def _named(sql: str, values: dict[str, Value]) -> dict[str, Value]:
        return {name: values[name] for name in sorted(set(re.findall(r"\$([a-z_]+)", sql)))}

    def _has_table(self, name: str) -> bool:
        return not self.query("select 1 from duckdb_tables() where table_name = $name", name=name).empty

    def _run(self, sql: str, values: dict[str, Value]) -> pd.DataFrame:
        if self._con is None:
            try:
                self._con = duckdb.connect(str(self.path), read_only=True, config=CONFIG)
            except duckdb.Error as error:
                raise NotPublished(str(error)) from None
        return self._con.execute(sql, values).df()


@st.cache_data(max_entries=500, show_spinner=False)
def _kept(stamp: str, sql: str, values: tuple[tuple[str, Value], ...], _published: Published) -> pd.DataFrame:
    return _published._run(sql, dict(values))


def _moment(value: Any) -> datetime | None:
    return None if pd.isna(value) else pd.Timestamp(value).to_pydatetime()
