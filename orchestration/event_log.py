"""Dagster's event log, with one connection kept and a batch of events in one transaction.

Dagster's own storage opens the file, compiles its statements and waits for the disk anew for each event. A night has
two thousand of them: one for every table and every check that it plans, builds and passes.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as db
from dagster import EventLogEntry
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS


class EventLog(ConsolidatedSqliteEventLogStorage):
    """The same tables in the same file as Dagster's own, so that either reads what the other wrote."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._batch = threading.local()
        super().__init__(*args, **kwargs)

    @cached_property
    def _engine(self) -> db.Engine:
        engine = db.create_engine(
            self._conn_string, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
        )
        # In WAL mode a crash of the machine may lose the last events, and never breaks the file.
        db.event.listen(engine, "connect", lambda connection, _: connection.execute("pragma synchronous = normal"))
        return engine

    @contextmanager
    def _connect(self) -> Iterator[db.Connection]:
        if (connection := getattr(self._batch, "connection", None)) is not None:
            yield connection
            return
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        with self._connect() as connection:
            self._batch.connection = connection
            try:
                super().store_event_batch(events)
            finally:
                self._batch.connection = None

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()
