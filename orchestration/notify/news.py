"""What there is to tell: the state of an alert, of the night, of a delivery."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

WELL = "well"


@dataclass(frozen=True)
class News:
    """`subject` is in `state` now. Who was told nothing of it believes it to be `at_rest`."""

    subject: str
    state: str
    at_rest: str
    title: str
    text: str


def alerts(published: Path) -> list[News]:
    """The alerts of the publication: one incident is one alert, told by its first culprit."""
    with duckdb.connect(str(published), read_only=True) as con:
        if not con.execute("select 1 from duckdb_tables() where table_name = 'funnel_alerts'").fetchone():
            return []
        rows = con.execute("""
            select alert_id, status, raised_on, cleared_on, explanation from funnel_alerts
            where culprit_rank = 1 order by raised_on, alert_id
        """).fetchall()
    return [
        News(
            subject=f"alert {alert_id}",
            state=status,
            at_rest="cleared",
            title=f"{'Alert' if status == 'open' else 'Cleared'}: {explanation.split(':')[0]}",
            text=f"Raised {raised_on}: {explanation}"
            if status == "open"
            else f"Cleared {cleared_on}, after four weeks without alarm: {explanation}",
        )
        for alert_id, status, raised_on, cleared_on, explanation in rows
    ]


def failed(subject: str, message: str) -> News:
    """Something failed. The same message is news again the next day, and not before."""
    digest = hashlib.sha256(message.encode()).hexdigest()[:12]
    return News(subject, f"failed {datetime.now(UTC):%F} {digest}", WELL, f"{subject.capitalize()} failed", message)


def well(subject: str) -> News:
    """It works. That is news to whoever was told that it failed."""
    return News(subject, WELL, WELL, f"{subject.capitalize()} works again", f"{subject.capitalize()} works again.")
