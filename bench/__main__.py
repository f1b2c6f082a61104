"""A full night and a night with 1% of the deals changed, beside the floor: DuckDB alone reading the same files.

python -m bench --deals 1000000
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click
import duckdb

from bench.extracts import make_extracts
from orchestration.settings import PROJECT_DIR

FLOOR = """
import duckdb, pathlib, sys
con = duckdb.connect(sys.argv[2])
con.execute("set threads = 2; set enable_progress_bar = false")
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.parquet")):
    con.execute(f"create table {path.name.split('.')[0]} as select * from '{path}'")
con.close()
"""


def measure(command: list[str], env: dict[str, str], lines: list[str]) -> tuple[float, float]:
    """Run to the end; returns seconds and the peak memory in GB of the command with all its children."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=PROJECT_DIR, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak = _watch(process, lines)
    if process.wait():
        raise click.ClickException(f"{' '.join(command)} failed:\n" + "\n".join(lines[-20:]))
    return time.monotonic() - started, peak


def _watch(process: subprocess.Popen, lines: list[str]) -> float:
    """Collect what the process says, and the largest resident memory of it and its children together."""
    import threading

    reader = threading.Thread(target=lambda: lines.extend(line.rstrip() for line in process.stderr), daemon=True)
    reader.start()
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _resident(process.pid))
        time.sleep(0.1)
    reader.join()
    return peak


def _resident(pid: int) -> float:
    """Resident memory of a process and all below it, in GB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = re.search(r"VmRSS:\s+(\d+)", status)
    return (int(own.group(1)) / 2**20 if own else 0.0) + sum(_resident(int(child)) for child in children)


def published_rows(data: Path) -> int:
    with duckdb.connect(str(data / "published" / "inflight.duckdb"), read_only=True) as con:
        return con.execute("select sum(row_count) from publication").fetchone()[0]


@click.command()
@click.option(
    "--deals",
    default=100_000,
    show_default=True,
    help="Deals; 8 stage rows, 2 field changes, 20 activities, 5 tasks, 2 people each.",
)
@click.option("--folder", type=click.Path(path_type=Path), default=PROJECT_DIR / "bench" / "data", show_default=True)
def main(deals: int, folder: Path) -> None:
    """Print seconds, rows and peak memory per step, and the ratios to the floor and to the full night."""
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "inflight"
    env = {**os.environ, "INFLIGHT_DATA": str(data)}
    click.echo(f"{deals:,} deals, {os.cpu_count()} cores, DuckDB {duckdb.__version__}")
    rows = make_extracts(data / "extracts", deals, night=0)
    click.echo("extracts   " + ", ".join(f"{count:,} {entity}" for entity, count in rows.items()))

    floors = []
    for attempt in range(2):
        command = [sys.executable, "-c", FLOOR, str(data / "extracts"), str(folder / f"floor{attempt}.duckdb")]
        floors.append(measure(command, env, [])[0])
        (folder / f"floor{attempt}.duckdb").unlink()
    floor = min(floors)
    click.echo(
        f"floor      {floor:8.1f} s   DuckDB alone reads the same files into tables ({floors[0]:.1f}, {floors[1]:.1f})"
    )

    check = measure([sys.executable, "-m", "orchestration.cli", "check"], env, [])[0]
    click.echo(f"check      {check:8.1f} s   reading the project for the first time, as an installation does once")
    nightly = [sys.executable, "-m", "orchestration.cli", "nightly"]
    full = _night("full night", nightly, env, data)
    click.echo(f"           {full / floor:8.2f} x the floor")
    make_extracts(data / "extracts", deals, night=1)
    part = _night("1% night", nightly, env, data)
    click.echo(f"           {part / full:8.1%} of the full night")
    idle = _night("idle night", nightly, env, data)
    click.echo(f"           {idle / full:8.1%} of the full night")
    shutil.rmtree(folder, ignore_errors=True)


def _night(name: str, command: list[str], env: dict[str, str], data: Path) -> float:
    lines: list[str] = []
    seconds, memory = measure(command, env, lines)
    click.echo(f"{name:10} {seconds:8.1f} s   {memory:.1f} GB peak, {published_rows(data):,} rows published")
    for line in lines:
        click.echo(f"    {line}")
    return seconds


if __name__ == "__main__":
    main()
