"""SQLAlchemy's DuckDB dialect, with rows fetched as soon as a statement has run.

Great Expectations closes its connection before it reads the rows. Most drivers have buffered them by then;
DuckDB's has not, and every expectation that reads data fails with `list index out of range`.
"""

from typing import ClassVar

from duckdb_engine import Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

SCHEME = "duckdb+buffered"


class _BufferedContext(Dialect.execution_ctx_cls):
    def post_exec(self) -> None:
        super().post_exec()
        if self.cursor.description:
            rows = self.cursor.fetchall()
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(self.cursor, self.cursor.description, rows)


class BufferedDialect(Dialect):
    execution_ctx_cls = _BufferedContext
    supports_statement_cache = False
    opened: ClassVar[list] = []

    def connect(self, *args, **kwargs):
        connection = super().connect(*args, **kwargs)
        self.opened.append(connection)
        return connection


def close_all() -> None:
    """Close what Great Expectations keeps in its pools: an open file keeps every other process out."""
    while BufferedDialect.opened:
        BufferedDialect.opened.pop().close()


registry.register("duckdb.buffered", __name__, BufferedDialect.__name__)
