"""The review queue: what awaits a person's decision, and the verdicts that answer it.

Verdicts lie in the project, in seeds/review_verdicts.csv, so that git keeps who decided what and when. They are data,
not code: a new one rebuilds the deals it speaks of, not everything.
"""

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.settings import PROJECT_DIR, Settings

VERDICTS = PROJECT_DIR / "seeds" / "review_verdicts.csv"
RULES = PROJECT_DIR / "seeds" / "segment_rules.csv"
COLUMNS = ("verdict_number", "deal_id", "verdict", "segment", "decided_on", "decided_by", "note")
ATYPICAL = "atypical"


class ReviewError(Exception):
    """A verdict that cannot be taken, or a queue that cannot be read; the message says why."""


@dataclass(frozen=True)
class Case:
    """An open case of the published review queue."""

    deal_id: str
    segment: str
    team: str
    amount: float | None
    currency: str | None
    age_days: int
    what_to_decide: str
    reasons: str


def open_cases(settings: Settings, limit: int) -> tuple[list[Case], dict[str, int]]:
    """The `limit` largest open cases, by amount, and how many there are of each question."""
    with _published(settings) as con:
        rows = con.execute(
            """
            select deal_id, segment, team, amount, currency, age_days, what_to_decide, reasons
            from review_queue where status = 'open'
            order by amount desc nulls last, deal_id limit ?
            """,
            [limit],
        ).fetchall()
        counts = con.execute(
            "select what_to_decide, count(*) from review_queue where status = 'open' group by 1 order by 2 desc, 1"
        ).fetchall()
    return [Case(*row) for row in rows], dict(counts)


def decide(
    settings: Settings,
    deal_id: str,
    verdict: str,
    segment: str | None,
    decided_by: str,
    note: str,
    decided_on: date | None = None,
    path: Path | None = None,
) -> dict[str, str]:
    """Hold a verdict against the published file and append it to the verdicts; returns the line written.

    decided_on is the day of the data that was looked at, by default the publication's as_of.
    """
    path = path or VERDICTS
    with _published(settings) as con:
        found = con.execute("select segment from dim_deals where deal_id = ?", [deal_id]).fetchone()
        known = {row[0] for row in con.execute("select distinct segment from dim_deals").fetchall()}
        as_of = con.execute("select max(as_of)::date from publication").fetchone()[0]
    if found is None:
        raise ReviewError(f"no deal {deal_id!r} is published; ids are written as in dim_deals, <crm>:<native id>")
    known = (known | _segments_of_rules()) - {ATYPICAL}
    if verdict == "segment" and segment not in known:
        raise ReviewError(f"no segment {segment!r}; known are {', '.join(sorted(known))}")
    if verdict == "typical" and found[0] == ATYPICAL:
        raise ReviewError(f"{deal_id} has no segment to be typical of; say which with --segment")
    if not decided_by.strip():
        raise ReviewError("a verdict needs a name: --by")
    line = {
        "deal_id": deal_id,
        "verdict": verdict,
        "segment": segment or "",
        "decided_on": str(decided_on or as_of),
        "decided_by": decided_by.strip(),
        "note": " ".join(note.split()),
    }
    return _append(path, line)


def _append(path: Path, line: dict[str, str]) -> dict[str, str]:
    text = path.read_text()
    numbers = [int(row["verdict_number"]) for row in csv.DictReader(io.StringIO(text))]
    line = {"verdict_number": str(max(numbers, default=0) + 1), **line}
    out = io.StringIO()
    csv.DictWriter(out, COLUMNS, lineterminator="\n").writerow(line)
    with path.open("a") as file:
        file.write(("" if text.endswith("\n") else "\n") + out.getvalue())
    return line


def _segments_of_rules() -> set[str]:
    with RULES.open() as file:
        return {row["segment"] for row in csv.DictReader(file) if row["segment"]}


def _published(settings: Settings) -> duckdb.DuckDBPyConnection:
    if not settings.published_database.exists():
        raise ReviewError("nothing is published yet; run: inflight nightly")
    return duckdb.connect(str(settings.published_database), read_only=True)


def land_verdicts(con: duckdb.DuckDBPyConnection, path: Path | None = None) -> int:
    """Enter a changed file of verdicts in the ledger as a load, so that the night builds it; returns its verdicts.

    A night rebuilds what newer loads touch, and a verdict may come on a night without any extract. The load does not
    move as_of: it is dated like the newest extract. Returns 0 where nothing has changed or nothing has landed yet.
    """
    path = path or VERDICTS
    content = path.read_bytes()
    rows = len(list(csv.DictReader(io.StringIO(content.decode()))))
    sha256 = hashlib.sha256(content).hexdigest()
    last = con.execute(
        "select sha256 from landing.files where crm = 'review' order by load_id desc limit 1"
    ).fetchone() or (None if rows else sha256,)
    as_of = con.execute(
        "select max(extracted_at) from landing.files where status in ('landed', 'repeated')"
    ).fetchone()[0]
    if last[0] == sha256 or as_of is None:
        return 0
    con.execute(
        """
        insert into landing.files (
            load_id, crm, entity, path, format, is_delta, extracted_at, size_bytes, modified_ns, sha256, status,
            rows_in_file, rows_landed, rows_set_aside, rows_repeated, missing_columns, extra_columns, is_accepted
        )
        values (
            nextval('landing.load_ids'), 'review', 'verdicts', ?, 'csv', false, ?, ?, 0, ?, 'landed',
            ?, ?, 0, 0, [], [], true
        )
        """,
        [f"seeds/{path.name}", as_of, len(content), sha256, rows, rows],
    )
    return rows
