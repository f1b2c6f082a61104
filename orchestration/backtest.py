"""The replay of history that was published: which incidents were found when, and what was raised besides."""

from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.settings import Settings

FIGURES = {
    "monthly revenue": "days_before_monthly_revenue",
    "monthly wins": "days_before_monthly_wins",
    "weekly conversion": "days_before_weekly_conversion",
}


class BacktestError(Exception):
    """There is no replay to show; the message says why."""


@dataclass(frozen=True)
class Incident:
    """An incident that people know of, or an alert that tells of none."""

    verdict: str
    what: str
    raised_on: date | None
    days_to_alert: int | None
    days_before: dict[str, int | None]


@dataclass(frozen=True)
class History:
    """All incidents of the days that were judged; no such days while charts are learning."""

    incidents: list[Incident]
    judged_from: date | None
    judged_until: date | None
    ready_on: date | None

    @property
    def summary(self) -> str:
        counts = {name: sum(i.verdict == name for i in self.incidents) for name in ("found", "missed", "not known")}
        return f"{counts['found']} found, {counts['missed']} missed, {counts['not known']} alerts of no known incident"


def replayed(settings: Settings) -> History:
    """The published replay, in order of time."""
    if not settings.published_database.exists():
        raise BacktestError("nothing is published yet; run: inflight nightly")
    columns = ", ".join(FIGURES.values())
    with duckdb.connect(str(settings.published_database), read_only=True) as con:
        if not con.execute("select 1 from duckdb_tables() where table_name = 'backtest_alerts'").fetchone():
            raise BacktestError("what is published is older than the replay; run: inflight nightly")
        rows = con.execute(
            f"""
            select verdict, what, raised_on, days_to_alert, {columns} from backtest_alerts
            order by started_on, incident_id
            """
        ).fetchall()
        first, last = con.execute("select min(date_day), max(date_day) from funnel_monitor").fetchone()
        (ready_on,) = con.execute("select max(ready_on) from funnel_visibility").fetchone()
    incidents = [Incident(*row[:4], dict(zip(FIGURES, row[4:], strict=True))) for row in rows]
    return History(incidents, first, last, ready_on)
