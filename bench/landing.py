"""Landing one large file beside DuckDB alone reading it into a table, as CSV and as Parquet.

python -m bench.landing --rows 20000000
"""

import os
import shutil
import sys
from pathlib import Path

import click
import duckdb

from bench.__main__ import measure
from bench.extracts import make_extracts
from orchestration.settings import PROJECT_DIR

FLOOR = """
import duckdb, sys
con = duckdb.connect(sys.argv[2])
con.execute("set threads = 2; set enable_progress_bar = false")
con.execute(f"create table activities as select * from '{sys.argv[1]}'")
con.close()
"""

LAND = """
import sys
from pathlib import Path
from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.land import land, open_warehouse
from orchestration.defs.landing.ledger import accept
from orchestration.settings import Settings
settings = Settings(Path(sys.argv[1]))
with open_warehouse(settings) as con:
    [outcome] = land(con, settings, load_contracts())
    accept(con)
sys.exit(0 if outcome.status == 'landed' else f'{outcome.status}: {outcome.reason}')
"""


def make_file(data: Path, rows: int, ending: str) -> Path:
    """One extract of `rows` activities; the generator gives 20 a deal."""
    make_extracts(data / "extracts", rows // 20, night=0)
    [folder] = (data / "extracts" / "generic").iterdir()
    for other in folder.iterdir():
        if other.stem != "activities":
            other.unlink()
    path = folder / f"activities.{ending}"
    if ending == "csv":
        source = folder / "activities.parquet"
        duckdb.sql(f"copy (from '{source}') to '{path}' (header)")
        source.unlink()
    return path


def make_next_day(path: Path) -> Path:
    """The full extract of the next day: the same rows, one in a hundred with another outcome."""
    target = path.parent.parent / "2026-07-01" / path.name
    target.parent.mkdir()
    outcome = "case when hash(activity_id) % 100 = 0 then 'changed' else outcome end as outcome"
    header = "(header)" if path.suffix == ".csv" else ""
    duckdb.sql(f"copy (select * replace ({outcome}) from '{path}') to '{target}' {header}")
    return target


@click.command()
@click.option("--rows", default=20_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=PROJECT_DIR / "bench" / "data", show_default=True)
def main(rows: int, folder: Path) -> None:
    """Print seconds and peak memory of both, each the better of two runs in turn, and of a file a quarter as long.

    And of the next day's full extract of the same rows, compared with what landed the day before.
    """
    for ending in ("csv", "parquet"):
        for size in (rows // 4, rows):
            shutil.rmtree(folder, ignore_errors=True)
            data = folder / "inflight"
            env = {**os.environ, "INFLIGHT_DATA": str(data)}
            path = make_file(data, size, ending)
            floors, ours = [], []
            for _ in range(2):
                floors.append(measure([sys.executable, "-c", FLOOR, str(path), str(folder / "floor.duckdb")], env, []))
                ours.append(measure([sys.executable, "-c", LAND, str(data)], env, []))
                (folder / "floor.duckdb").unlink()
                if len(ours) == 1:
                    shutil.rmtree(data / "warehouse")
            make_next_day(path)
            again = measure([sys.executable, "-c", LAND, str(data)], env, [])
            floor, land = min(floors), min(ours)
            click.echo(
                f"{ending:8} {size:>12,} rows   floor {floor[0]:6.1f} s {floor[1]:.1f} GB   "
                f"landed {land[0]:6.1f} s {land[1]:.1f} GB   {land[0] / floor[0]:.2f} x   "
                f"next day {again[0]:6.1f} s {again[1]:.1f} GB"
            )
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
