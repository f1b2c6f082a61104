"""What the digest says, read from a published file. What a publication does not hold is left out, not shown as zero."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

DEALS_SHOWN = 5
ACTS_SHOWN = 10
MONTHS_SHOWN = 13
WEEKS_BEFORE_ALERT = 12

COUNTED = {
    "task_timeliness": "steps done in a week",
    "loss_rate": "losses in a week",
    "lead_quality": "losses in a week",
    "stage_speed": "stays that ended in a week",
    "inbound_volume": "new deals in a week",
    "inbound_mix": "new deals in a week",
    "activity_integrity": "answers in a week",
}


@dataclass(frozen=True)
class Week:
    starts_on: date
    observed: float
    expected: float


@dataclass(frozen=True)
class Alert:
    """An open alert, first culprit first. `weeks` is what its chart saw; empty where a rule raised it."""

    raised_on: date
    started_on: date | None
    is_new: bool
    explanations: list[str]
    counted: str
    weeks: list[Week]
    amount: float | None
    currency: str | None


@dataclass(frozen=True)
class Movement:
    """What came into the open pipeline of a currency and what left it, over the days of the digest."""

    currency: str
    opening: float
    created: float
    won: float
    lost: float
    other: float
    closing: float
    created_deals: int
    won_deals: int
    lost_deals: int


@dataclass(frozen=True)
class Month:
    starts_on: date
    won: float
    is_whole: bool


@dataclass(frozen=True)
class Outlook:
    """Bookings until the quarter's end: what is booked, what is expected, and the target if there is one."""

    currency: str | None
    ends_on: date  # the last day
    booked: float
    median: float
    low: float
    high: float
    target: float | None


@dataclass(frozen=True)
class Deal:
    deal_id: str
    name: str | None
    segment: str | None
    team: str | None
    amount: float | None
    currency: str | None


@dataclass(frozen=True)
class Act:
    """A deal that needs an act today."""

    rank: int
    deal_id: str
    name: str | None
    owner: str | None
    team: str | None
    amount: float | None
    next_act: str | None
    status: str | None
    due_on: date | None
    sentence: str | None


@dataclass(frozen=True)
class Digest:
    publication_id: str
    as_of: datetime
    since: date
    alerts: list[Alert]
    cleared: list[str]
    charts_ready_on: date | None
    movements: list[Movement]
    won: list[Deal]
    lost: list[Deal]
    months: dict[str, list[Month]]
    outlooks: list[Outlook]
    acts: list[Act]
    acts_in_all: int
    rows_set_aside: int
    cases_to_review: int
    tables: frozenset[str] = field(default_factory=frozenset)


def read(database: Path, before: Path | None = None) -> Digest:
    """The digest of the publication in `database`; `before` is the one that people saw last, if there is one."""
    with duckdb.connect(str(database), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        reader = _Reader(con, _as_of(before))
        return reader.digest()


def _as_of(database: Path | None) -> datetime | None:
    if database is None or not database.exists():
        return None
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute("select max(as_of) from publication").fetchone()[0]


class _Reader:
    def __init__(self, con: duckdb.DuckDBPyConnection, last_as_of: datetime | None) -> None:
        self.con = con
        self.tables = frozenset(row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall())
        self.publication_id, self.as_of = con.execute(
            "select max(publication_id), max(as_of) from publication"
        ).fetchone()
        # What changed since the digest before; published twice in a day, the day itself.
        self.since = (self.as_of - timedelta(days=1)).date()
        if last_as_of and last_as_of.date() < self.as_of.date():
            self.since = last_as_of.date()

    def digest(self) -> Digest:
        acts = self._acts()
        return Digest(
            publication_id=self.publication_id,
            as_of=self.as_of,
            since=self.since,
            alerts=self._alerts(),
            cleared=self._cleared(),
            charts_ready_on=self._charts_ready_on(),
            movements=self._movements(),
            won=self._deals("won_at"),
            lost=self._deals("lost_at"),
            months=self._months(),
            outlooks=self._outlooks(),
            acts=acts,
            acts_in_all=self._count("deals_needing_attention"),
            rows_set_aside=self._count("landing_rejects"),
            cases_to_review=self._count("review_queue", "status = 'open'"),
            tables=self.tables,
        )

    def _rows(self, tables: set[str], sql: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query on `tables`; none where the publication does not hold them."""
        if not tables <= self.tables:
            return []
        result = self.con.execute(sql, list(values))
        columns = [column[0] for column in result.description]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    def _count(self, table: str, condition: str = "true") -> int:
        if table not in self.tables:
            return 0
        return self.con.execute(f"select count(*) from {table} where {condition}").fetchone()[0]

    def _alerts(self) -> list[Alert]:
        rows = self._rows(
            {"funnel_alerts"},
            """
            select
                alert_id, any_value(raised_on) as raised_on, list(explanation order by culprit_rank) as explanations,
                min_by(struct_pack(
                    signal := signal, stage_id := stage_id, step := step, segment := segment, channel := channel,
                    team := team, started_on := started_on_estimate, amount := cast(amount_at_stake as double),
                    currency := currency
                ), culprit_rank) as first
            from funnel_alerts where status = 'open' group by alert_id order by raised_on desc, alert_id
            """,
        )
        return [
            Alert(
                raised_on=row["raised_on"],
                started_on=row["first"]["started_on"],
                is_new=row["raised_on"] > self.since,
                explanations=row["explanations"],
                counted=COUNTED.get(row["first"]["signal"], "cases in a week"),
                weeks=self._weeks(row["raised_on"], row["first"]),
                amount=row["first"]["amount"],
                currency=row["first"]["currency"],
            )
            for row in rows
        ]

    def _weeks(self, raised_on: date, culprit: dict[str, Any]) -> list[Week]:
        """What the culprit's own chart saw, week by week."""
        begins = (culprit["started_on"] or raised_on) - timedelta(weeks=WEEKS_BEFORE_ALERT)
        rows = self._rows(
            {"funnel_monitor"},
            """
            select
                cast(date_trunc('week', date_day) as date) as starts_on, cast(sum(observed) as double) as observed,
                cast(sum(expected) as double) as expected
            from funnel_monitor
            where signal = ? and (stage_id is null or stage_id = ?) and step is not distinct from ?
                and segment is not distinct from ? and channel is not distinct from ? and team is not distinct from ?
                and date_day >= date_trunc('week', cast(? as date))
            group by 1 having count(observed) > 0 and count(expected) > 0 order by 1
            """,
            *(culprit[name] for name in ("signal", "stage_id", "step", "segment", "channel", "team")),
            begins,
        )
        return [Week(**row) for row in rows]

    def _cleared(self) -> list[str]:
        rows = self._rows(
            {"funnel_alerts"},
            """
            select explanation from funnel_alerts
            where status = 'cleared' and culprit_rank = 1 and cleared_on > ? order by cleared_on, alert_id
            """,
            self.since,
        )
        return [row["explanation"] for row in rows]

    def _charts_ready_on(self) -> date | None:
        """The day from which charts judge, while none does."""
        rows = self._rows(
            {"funnel_visibility"},
            """
            select max(ready_on) as ready_on from funnel_visibility
            having count(*) filter (where status = 'watching') = 0
            """,
        )
        return rows[0]["ready_on"] if rows else None

    def _movements(self) -> list[Movement]:
        """Opening and closing are those of the first and the last day; what moves within the pipeline cancels out."""
        rows = self._rows(
            {"fct_pipeline_movements"},
            """
            select
                coalesce(currency, 'no currency') as currency,
                sum(opening_amount) filter (where date_day = first_day) as opening,
                sum(created_amount) as created, sum(won_amount) as won, sum(lost_amount) as lost,
                sum(closing_amount) filter (where date_day = last_day) as closing,
                sum(created_deals) as created_deals, sum(won_deals) as won_deals, sum(lost_deals) as lost_deals
            from fct_pipeline_movements
            cross join (
                select min(date_day) as first_day, max(date_day) as last_day from fct_pipeline_movements
                where date_day > ? and date_day <= ?
            )
            where date_day between first_day and last_day group by 1 order by closing desc, 1
            """,
            self.since,
            self.as_of.date(),
        )
        movements = []
        for row in rows:
            amounts = {name: float(row[name] or 0) for name in ("opening", "created", "won", "lost", "closing")}
            moved = amounts["created"] - amounts["won"] - amounts["lost"]
            counts = {name: int(row[name]) for name in ("created_deals", "won_deals", "lost_deals")}
            other = amounts["closing"] - amounts["opening"] - moved
            movements.append(Movement(currency=row["currency"], other=other, **amounts, **counts))
        return movements

    def _deals(self, ended: str) -> list[Deal]:
        """The largest deals that ended so since the last digest."""
        rows = self._rows(
            {"dim_deals", "fct_deals"},
            f"""
            select deals.deal_id, deals.deal_name as name, deals.segment, deals.team,
                cast(deals.amount as double) as amount, deals.currency
            from dim_deals as deals inner join fct_deals using (deal_id)
            where fct_deals.{ended} >= ? and fct_deals.{ended} <= ? order by deals.amount desc nulls last, deal_id
            limit {DEALS_SHOWN}
            """,
            self.since + timedelta(days=1),
            self.as_of,
        )
        return [Deal(**row) for row in rows]

    def _months(self) -> dict[str, list[Month]]:
        """Won amounts by month and currency; the month under way is marked."""
        rows = self._rows(
            {"fct_pipeline_movements", "dim_dates"},
            """
            select
                coalesce(currency, 'no currency') as name, month_start_date, cast(sum(won_amount) as double) as won
            from fct_pipeline_movements inner join dim_dates using (date_day)
            where date_day <= ? and month_start_date > cast(? as date) - to_months(?)
            group by name, month_start_date order by sum(won) over (partition by name) desc, name, month_start_date
            """,
            self.as_of.date(),
            self.as_of.date(),
            MONTHS_SHOWN,
        )
        months: dict[str, list[Month]] = {}
        for row in rows:
            next_month = (row["month_start_date"].replace(day=1) + timedelta(days=32)).replace(day=1)
            is_whole = self.as_of >= datetime.combine(next_month, datetime.min.time()) - timedelta(seconds=1)
            months.setdefault(row["name"], []).append(Month(row["month_start_date"], row["won"], is_whole))
        return months

    def _outlooks(self) -> list[Outlook]:
        """The quarter under way of the whole department, the largest currency first. The table has the day after it."""
        rows = self._rows(
            {"bookings_nowcast"},
            """
            select
                currency, cast(horizon_ends_on as date) - 1 as ends_on, cast(booked_so_far as double) as booked,
                cast(median as double) as median, cast(low_80 as double) as low, cast(high_80 as double) as high,
                cast(target as double) as target
            from bookings_nowcast
            where horizon = 'quarter_end' and segment = 'all' and team = 'all' and median is not null
            order by median desc, currency
            """,
        )
        return [Outlook(**row) for row in rows]

    def _acts(self) -> list[Act]:
        rows = self._rows(
            {"deals_needing_attention", "dim_users"},
            """
            select
                acts.rank_overall as rank, acts.deal_id, acts.deal_name as name,
                coalesce(users.user_name, acts.owner_id) as owner, acts.team, cast(acts.amount as double) as amount,
                acts.next_act, acts.next_act_status as status, cast(acts.due_on as date) as due_on, acts.sentence
            from deals_needing_attention as acts left join dim_users as users on acts.owner_id = users.user_id
            order by acts.rank_overall, acts.deal_id limit ?
            """,
            ACTS_SHOWN,
        )
        return [Act(**row) for row in rows]
