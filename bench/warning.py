"""How soon, how rightly and how falsely the early warning warns, on drawn departments: python -m bench.warning

The charts run are the models themselves, compiled by dbt, in memory. Nothing is fitted to the departments: their
parameters vary, and so do faults, groups and stages struck.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
import pandas as pd

from bench.companies import FAULTS, Calendar, Department, named, plant, simulate
from orchestration.settings import Settings
from tests.python.models import Models

GIVEN = (
    "stg_as_of",
    "dim_dates",
    "dim_users",
    "dim_stages",
    "dim_deals",
    "fct_stage_visits",
    "fct_journey_steps",
    "int_indicator_contacts",
    "int_deals_numbered",
    "int_deal_values_versioned",
)
WANTED = ("funnel_alerts", "funnel_visibility", "int_backtest_naive")
FAULT_DAYS = 270  # a fault that is not found in so many days counts as not found
BARS = {
    "slow_task": (25, 35),
    "slow_stage": (13, 15),
    "mix_shift": (30, None),
    "volume_drop": (30, None),
    "conversion_drop": (65, 95),
    "lead_quality": (70, None),
}
CLEAN = {
    "as drawn": {},
    "twice the drift": {"drift": 2.0},
    "60% silent losses": {"silent": 0.6},
    "both": {"drift": 2.0, "silent": 0.6},
}


class Charts:
    """The charts' models in memory, to be filled with facts as often as one likes."""

    def __init__(self, models: Models) -> None:
        self._warehouse = models.warehouse(*WANTED, given=GIVEN)
        given = set(self._warehouse.given.values())
        needed: set[str] = set()

        def visit(unique_id: str) -> None:
            if unique_id not in needed and unique_id not in given and unique_id in models.nodes:
                needed.add(unique_id)
                for parent in models.parents.get(unique_id, []):
                    visit(parent)

        for name in WANTED:
            visit(models.ids[name])
        self._warehouse.rebuilt = [node for node in self._warehouse.rebuilt if node in needed]

    def build(self, facts: dict[str, pd.DataFrame]) -> None:
        """Fill the facts, by model name, and build all charts; a model that is not named stays empty."""
        warehouse = self._warehouse
        for name in warehouse.given:
            relation = warehouse.relation(name)
            warehouse.con.execute(f"delete from {relation}")
            if name in facts:
                warehouse.con.register("facts", facts[name])
                warehouse.con.execute(f"insert into {relation} by name select * from facts")
                warehouse.con.unregister("facts")
        warehouse.rebuild()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self._warehouse.rows(sql)

    def alerts(self, facts: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
        """Build, and give all rows of funnel_alerts, in order."""
        self.build(facts)
        return self.rows("select * from funnel_alerts order by raised_on, alert_id, culprit_rank")


@dataclass
class Result:
    """One run: days from the fault to its first alert, whether it pointed right, and what naive figures would take."""

    kind: str
    seed: int
    days: float = math.inf
    is_right_stage: bool | None = None
    is_right: bool = False
    naive: dict[str, float] = field(default_factory=dict)
    false_alarms: list[str] = field(default_factory=list)


@cache
def _charts(folder: str) -> Charts:
    return Charts(Models(Settings(Path(folder))))


def faulty(folder: str, kind: str, seed: int, is_medium: bool) -> Result:
    """A department with a fault in its second or third year."""
    onset_day = 396 + int(np.random.default_rng([seed, 9]).integers(30, 260))
    department = Department.draw(seed, onset_day + FAULT_DAYS, is_medium=is_medium)
    dates = Calendar(department.days).dates
    onset = int(np.searchsorted(dates, dates[0] + onset_day))
    fault = plant(kind, department, float(onset))
    began = dates[onset].astype(date)
    charts = _charts(folder)
    alerts = [alert for alert in charts.alerts(simulate(department, fault)) if alert["culprit_rank"] == 1]
    result = Result(kind, seed, false_alarms=[a["alert_id"] for a in alerts if a["raised_on"] < began])
    naive = charts.rows("select figure, min(shown_on) as shown_on from int_backtest_naive "
                        f"where shown_on > date '{began}' group by figure")  # fmt: skip
    result.naive = {row["figure"]: float((row["shown_on"] - began).days) for row in naive}
    found = [alert for alert in alerts if alert["raised_on"] >= began]
    if found:
        first, wanted = found[0], named(fault)
        result.days = float((first["raised_on"] - began).days)
        stage = wanted.pop("stage")
        result.is_right_stage = None if stage is None else first["stage_id"] == stage
        result.is_right = result.is_right_stage is not False and all(first[k] == v for k, v in wanted.items())
    return result


def clean(folder: str, kind: str, seed: int, is_medium: bool) -> Result:
    """A department without fault: a year to learn from, two years judged."""
    department = Department.draw(seed, 396 + 730, is_medium=is_medium, **CLEAN[kind])
    alerts = _charts(folder).alerts(simulate(department))
    return Result(kind, seed, false_alarms=[alert["alert_id"] for alert in alerts if alert["culprit_rank"] == 1])


def _run(task: tuple[str, str, int, bool]) -> Result:
    folder, kind, seed, is_medium = task
    return (faulty if kind in FAULTS else clean)(folder, kind, seed, is_medium)


def percentile(days: Iterable[float], percent: int) -> str:
    """The median, or the smallest value that the share does not exceed; a dash where it was not waited for."""
    ordered = sorted(days) or [math.inf]
    value = median(ordered) if percent == 50 else ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
    return "–" if math.isinf(value) else f"{value:.0f}"


def report(results: list[Result]) -> str:
    """The tables, in Markdown."""
    lines = [
        "| fault | runs | days to alarm, median (bar) | p80 (bar) | right stage | right stage and group "
        "| by monthly wins | by weekly conversion |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for kind in FAULTS:
        runs = [result for result in results if result.kind == kind]
        if not runs:
            continue
        days, found = [result.days for result in runs], [result for result in runs if result.days < math.inf]
        staged = [result.is_right_stage for result in found if result.is_right_stage is not None]
        rightly = np.mean([result.is_right for result in found]) if found else 0
        bar, bar_80 = BARS[kind]
        naive = [
            percentile([result.naive.get(figure, math.inf) for result in runs], 50)
            for figure in ("monthly_wins", "weekly_conversion")
        ]
        lines.append(
            f"| {kind} | {len(runs)} | {percentile(days, 50)} ({bar}) | {percentile(days, 80)} ({bar_80 or '–'}) "
            f"| {f'{np.mean(staged):.0%}' if staged else '–'} | {rightly:.0%} "
            f"| {naive[0]} | {naive[1]} |"
        )
    lines += [
        "",
        "| two years without fault | runs | with a false alarm (bar 63%) | false alarms |",
        "| --- | --- | --- | --- |",
    ]
    for kind in CLEAN:
        runs = [result for result in results if result.kind == kind]
        if runs:
            alarms = [len(result.false_alarms) for result in runs]
            lines.append(f"| {kind} | {len(runs)} | {np.mean([n > 0 for n in alarms]):.0%} | {sum(alarms)} |")
    return "\n".join(lines)


@click.command()
@click.option("--runs", default=60, show_default=True, help="Departments with each fault.")
@click.option(
    "--clean-runs", default=100, show_default=True, help="Departments without fault, for each way they drift."
)
@click.option("--first-seed", default=1000, show_default=True, help="Other seeds, other departments.")
@click.option("--kinds", default="", help="Only these, separated by commas.")
@click.option("--medium", is_flag=True, help="150 deals a week, six stages, four segments; the rest is drawn.")
@click.option("--processes", default=2, show_default=True, help="Runs at once.")
@click.option("--compiled", help="Folder of a project that is compiled already.")
def main(
    runs: int, clean_runs: int, first_seed: int, kinds: str, medium: bool, processes: int, compiled: str | None
) -> None:
    """Print how soon faults are found, how rightly, and how often a department without fault is alarmed."""
    wanted = kinds.split(",") if kinds else [*FAULTS, *CLEAN]
    with tempfile.TemporaryDirectory() as made:
        folder = compiled or made
        if not compiled:
            Models.compile(Path(folder))
        tasks = [
            (folder, kind, first_seed + n, medium)
            for n in range(max(runs, clean_runs))
            for kind in wanted
            if n < (runs if kind in FAULTS else clean_runs)
        ]
        results, started = [], time.monotonic()
        with ProcessPoolExecutor(processes) as pool:
            for done, result in enumerate(pool.map(_run, tasks), start=1):
                results.append(result)
                click.echo(f"{done}/{len(tasks)} {time.monotonic() - started:.0f} s {result}", err=True)
    click.echo(report(results))


if __name__ == "__main__":
    main()
