"""Kill the nightly job at random moments: the published file must stay readable, the end must be as if undisturbed.

python -m bench.kill --kills 20
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
import duckdb

from orchestration.sample.company import Company
from orchestration.sample.extracts import write_extracts
from orchestration.sample.simulate import simulate
from orchestration.settings import PROJECT_DIR


def inflight(data: Path, *args: str) -> subprocess.Popen:
    """Start the command line on `data`."""
    return subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", *args],
        cwd=PROJECT_DIR,
        env={**os.environ, "INFLIGHT_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def run(data: Path, *args: str) -> float:
    """Run to the end; returns seconds."""
    started = time.monotonic()
    if inflight(data, *args).wait():
        raise RuntimeError(f"inflight {' '.join(args)} failed; see {data / 'nightly.log'}")
    return time.monotonic() - started


def hashes(data: Path) -> dict[str, str]:
    """Content hash of every published table."""
    with duckdb.connect(str(data / "published" / "inflight.duckdb"), read_only=True) as con:
        return dict(con.execute("select table_name, content_hash from publication").fetchall())


class Reader(threading.Thread):
    """Opens the published file in a loop, in processes of its own, and keeps what went wrong."""

    QUERY = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True); "
        "n = con.execute('select sum(row_count) from publication').fetchone()[0]; "
        "tables = con.execute('select table_name from publication').fetchall(); "
        "m = sum(con.execute(f'select count(*) from {t}').fetchone()[0] for t, in tables); "
        "sys.exit(0 if n == m else 'rows differ from what the publication says')"
    )

    def __init__(self, data: Path) -> None:
        super().__init__(daemon=True)
        self.database = data / "published" / "inflight.duckdb"
        self.failures: list[str] = []
        self.reads = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(1.0):
            command = [sys.executable, "-c", self.QUERY, str(self.database)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.reads += 1
            if done.returncode:
                self.failures.append(done.stderr[-500:])

    def stop(self) -> None:
        self.stopped.set()
        self.join()


def disturb(data: Path, longest: float, kills: int, seed: int) -> int:
    """Start the job and kill it `kills` times at random moments within `longest` seconds; returns kills that hit."""
    moments = random.Random(seed)
    hit = 0
    for _ in range(kills):
        process = inflight(data, "nightly")
        try:
            process.wait(timeout=moments.uniform(0.0, longest))
        except subprocess.TimeoutExpired:
            if hit % 2:  # with what it started, and without: dbt then goes on for a while by itself
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.send_signal(signal.SIGKILL)
            process.wait()
            hit += 1
    return hit


def compare(after_first_night: Path, work: Path, add_second: Callable[[Path], None], kills: int, seed: int) -> dict:
    """The second night undisturbed, and killed again and again; returns what was seen.

    `after_first_night` is a data folder; `add_second` writes the second night's extracts into a copy of it.
    """
    calm, disturbed = work / "calm", work / "disturbed"
    for data in (calm, disturbed):
        shutil.copytree(after_first_night, data, symlinks=True)
        add_second(data)
    seconds = run(calm, "nightly")
    reader = Reader(disturbed)
    reader.start()
    hit = disturb(disturbed, seconds, kills, seed)
    run(disturbed, "nightly")
    reader.stop()
    return {
        "night_seconds": round(seconds, 1),
        "kills": kills,
        "kills_that_hit": hit,
        "reads": reader.reads,
        "failed_reads": reader.failures,
        "tables": len(hashes(calm)),
        "tables_that_differ": [name for name, value in hashes(calm).items() if hashes(disturbed).get(name) != value],
    }


@click.command()
@click.option("--kills", default=20, show_default=True)
@click.option("--seed", default=11, show_default=True)
def main(kills: int, seed: int) -> None:
    """Print what was seen; exit 1 if a read failed or the end differs."""
    first, second = datetime(2026, 6, 29, 23, 59, 59), datetime(2026, 6, 30, 23, 59, 59)
    world = simulate(Company(seed=seed, deals_per_week=15.0))
    with tempfile.TemporaryDirectory() as work:
        start = Path(work) / "start"
        write_extracts(world, start / "extracts" / "generic", first)
        run(start, "nightly")
        seen = compare(
            start,
            Path(work),
            lambda data: write_extracts(world, data / "extracts" / "generic", second, since=first),
            kills,
            seed,
        )
    for name, value in seen.items():
        click.echo(f"{name:20} {value}")
    missed = seen["kills_that_hit"] < kills / 2
    sys.exit(1 if seen["failed_reads"] or seen["tables_that_differ"] or missed else 0)


if __name__ == "__main__":
    main()
