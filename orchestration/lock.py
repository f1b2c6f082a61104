"""One nightly run at a time, whether the command line or Dagster's daemon started it."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb

from orchestration.settings import Settings

WAIT_SECONDS = 600.0


class Busy(Exception):
    """Another run is at work on the same data folder."""


@contextmanager
def nightly_lock(settings: Settings) -> Iterator[None]:
    """Hold the data folder; raises Busy at once if another run holds it. The system frees it if we are killed."""
    settings.data.mkdir(parents=True, exist_ok=True)
    path = settings.data / "nightly.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Busy(
                f"another run (process {holder}) is at work on {settings.data}; wait for it to end, or stop it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class NightlyLock(dg.ConfigurableResource):
    """Held from the first step of a run to its last."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["NightlyLock"]:
        with nightly_lock(Settings.from_env()):
            yield self


def connect(path: Path, say: Callable[[str], None] = lambda _: None) -> duckdb.DuckDBPyConnection:
    """Open a private DuckDB file for writing, waiting for a process that a killed run may have left at work on it.

    A new file is made in DuckDB's newest format, which writes text a quarter faster: only this job reads it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    give_up = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return duckdb.connect(str(path), config={"storage_compatibility_version": "latest"})
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error) or time.monotonic() > give_up:
                raise
            say(f"waiting for another process to let go of {path.name}")
            time.sleep(1.0)
