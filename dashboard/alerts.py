"""Alerts in words, with the chart they were raised from and the deals behind them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.filters import Filters
from dashboard.published import Published, Value
from dashboard.shares import with_shares
from dashboard.words import day, label, language, money, number, share, t

# What a stream's observed / chances is; none: observed is a count by itself.
MEASURES = {
    "loss_rate": "lost, of those that left the stage",
    "lead_quality": "lost, of those that left a stage",
    "task_timeliness": "done, of steps that wait",
    "stage_speed": "moved on, of deals that wait",
    "inbound_mix": "share of new deals",
    "activity_integrity": "answered within a week",
    "inbound_volume": "new deals",
}
WHAT = {
    "loss_rate": "more deals are lost",
    "lead_quality": "deals are lost more often, whatever the stage",
    "task_timeliness": "the step {step} takes longer",
    "stage_speed": "deals stay longer",
    "inbound_mix": "fewer of the new deals are of it",
    "inbound_volume": "fewer deals come in",
    "activity_integrity": "clients answer less of what is sent to them",
    "data_quality": "something is odd in what was recorded",
}


@dataclass(frozen=True)
class Alert:
    """An incident: its first culprit's row, and what the other culprits say."""

    row: dict[str, Any]
    stage: str | None
    others: tuple[str, ...]

    @property
    def signal(self) -> str:
        return self.row["signal"]

    @property
    def since(self) -> Any:
        return self.row["started_on_estimate"]

    @property
    def place(self) -> str:
        for kind in ("segment", "channel", "team"):
            if pd.notna(self.row[kind]):
                return f"{t(kind)} {label(self.row[kind])}"
        return t("the whole department")

    @property
    def short(self) -> str:
        """Where and what: Proposal, team North: the step prepare proposal takes longer."""
        where = ", ".join(part for part in (self.stage, self.place) if part)
        return f"{where}: {t(WHAT[self.signal], step=label(self.row['step']))}"

    @property
    def text(self) -> str:
        """The table's own sentence; in another language, one made of the same figures."""
        if language() == "en" or self.signal == "data_quality":
            return str(self.row["explanation"])
        seen = t(
            "Since about {since}: {observed} where {expected} would be usual.",
            since=day(self.since),
            observed=number(self.row["observed"]),
            expected=number(self.row["expected"]),
        )
        return f"{self.short}. {seen}"

    @property
    def chips(self) -> list[tuple[str, str]]:
        row = self.row
        affected = "" if pd.isna(row["deals_affected"]) else t("{n} deals then", n=number(row["deals_affected"]))
        at_stake = (
            ""
            if pd.isna(row["amount_at_stake"])
            else t("{amount} at stake", amount=money(row["amount_at_stake"], row["currency"]))
        )
        effect = (
            ""
            if pd.isna(row["effect_low"])
            else t(
                "{effect} of what is usual ({low}–{high})",
                effect=share(row["effect"]),
                low=share(row["effect_low"]),
                high=share(row["effect_high"]),
            )
        )
        return [
            (label(self.signal), "bad"),
            (t("raised {day}", day=day(row["raised_on"])), ""),
            (t("since about {day}", day=day(self.since)), ""),
            (effect, ""),
            (affected, ""),
            (at_stake, ""),
        ]

    @property
    def measure(self) -> str:
        return t(MEASURES.get(self.signal, "new deals"))

    @property
    def form(self) -> str:
        return ",.0f" if self.signal == "inbound_volume" else ".0%"

    @property
    def values(self) -> dict[str, Value]:
        """Where the alert points, to be bound."""
        names = ("stage_id", "step", "segment", "channel", "team")
        place = {f"its_{name}": None if pd.isna(self.row[name]) else self.row[name] for name in names}
        return {
            **place,
            "its_signal": self.signal,
            "its_start": pd.Timestamp(self.since).date(),
            "its_day": pd.Timestamp(self.row["raised_on"]).date(),
        }


def open_alerts(published: Published, chosen: Filters) -> list[Alert]:
    """Open incidents of what the reader looks at, the latest first."""
    if not published.has("funnel_alerts"):
        return []
    found = published.query(
        """
        select alerts.*, cast(alerts.amount_at_stake as double) as amount_at_stake, stages.stage
        from funnel_alerts as alerts
        left join dim_stages as stages on alerts.stage_id = stages.stage_id
        where alerts.status = 'open'
            and ($pipeline is null or stages.pipeline is null or stages.pipeline = $pipeline)
            and ($segment is null or alerts.segment is null or alerts.segment = $segment)
            and ($team is null or alerts.team is null or alerts.team = $team)
        order by alerts.raised_on desc, alerts.alert_id, alerts.culprit_rank
        """,
        **chosen.values,
    )
    made = []
    for _, rows in found.groupby("alert_id", sort=False):
        alerts = [
            Alert(row.to_dict(), row["stage"] if pd.notna(row["stage"]) else None, ()) for _, row in rows.iterrows()
        ]
        others = tuple(t("Also: {what}", what=other.text) for other in alerts[1:])
        made.append(Alert(alerts[0].row, alerts[0].stage, others))
    return made


ALL = """
select alerts.*, stages.stage
from funnel_alerts as alerts
left join dim_stages as stages on alerts.stage_id = stages.stage_id
where alerts.culprit_rank = 1
order by alerts.raised_on desc, alerts.alert_id
"""


def told(row: dict[str, Any]) -> str:
    """What an alert says, of a row of ALL."""
    return Alert(row, row["stage"] if pd.notna(row["stage"]) else None, ()).text


def chart_of(published: Published, alert: Alert) -> pd.DataFrame:
    """Half a year of the alert's stream by week: seen, expected, and where nine in ten weeks would be."""
    if alert.signal == "data_quality" or not published.has("funnel_monitor"):
        return pd.DataFrame()
    weeks = published.query(
        """
        with stream as (
            select * from funnel_monitor
            where signal = $its_signal
                and stage_id is not distinct from $its_stage_id and step is not distinct from $its_step
                and segment is not distinct from $its_segment and channel is not distinct from $its_channel
                and team is not distinct from $its_team
                and date_day > $last - 182
        ),

        weeks as (
            select
                cast(date_trunc('week', date_day) as date) as week,
                sum(chances) as chances, sum(observed) as seen, sum(expected) as usual
            from stream
            group by 1
        ),

        rates as (
            select
                *,
                -- chances that a lost, done or moved deal had; new deals by themselves have none
                coalesce(chances, 1) as n,
                1.645 * case
                    when chances is null then sqrt(usual)
                    else sqrt(greatest(usual * (1 - usual / nullif(chances, 0)), 0))
                end as spread
            from weeks
            where coalesce(chances, 1) > 0
        )

        select
            week as at, seen / n as observed, usual / n as expected,
            greatest((usual - spread) / n, 0) as low, (usual + spread) / n as high,
            coalesce(chances, seen) as n
        from rates
        order by week
        """,
        **alert.values,
        last=published.as_of_day,
    )
    return weeks


def other_groups(published: Published, alert: Alert) -> pd.DataFrame:
    """How the groups beside the culprit did since it began, for steps: is it there alone?"""
    kind = next((kind for kind in ("team", "segment") if pd.notna(alert.row[kind])), "team")
    if alert.signal != "task_timeliness" or not published.has("fct_journey_steps"):
        return pd.DataFrame()
    group = {"team": "coalesce(users.team, 'unknown')", "segment": "steps.segment"}[kind]
    found = published.query(
        f"""
        select {group} as name, count(*) as total, count(*) filter (where steps.is_on_time) as n
        from fct_journey_steps as steps
        left join dim_users as users on steps.owner_id = users.user_id
        where steps.step = $its_step and steps.is_on_time is not null and steps.due_at >= $its_start
        group by 1
        order by count(*) filter (where steps.is_on_time) / count(*), 1
        """,
        **alert.values,
    )
    found = with_shares(found)
    return found.assign(
        kind=[t("here") if name == alert.row[kind] else t("elsewhere") for name in found["name"]],
        name=found["name"].map(label),
        n_text=[
            t("{share}, n = {n}", share=share(value), n=number(total))
            for value, total in zip(found["value"], found["total"], strict=True)
        ],
    )


PLACE = """
    and ($its_segment is null or {v}.segment = $its_segment)
    and ($its_channel is null or {v}.channel = $its_channel)
    and ($its_team is null or {v}.team = $its_team)
"""


@dataclass(frozen=True)
class Behind:
    """A list of the deals behind an alert; `more`: further columns of the query, with their heads."""

    heading: str
    sql: str
    more: dict[str, object]
    note: str = ""
    order: str = ""


def deals_behind(alert: Alert) -> dict[str, Behind]:
    """Lists of deals behind an alert, the one that says most first."""
    lists = {}
    visits = PLACE.format(v="visits")
    if alert.signal == "task_timeliness":
        lists["late"] = Behind(
            t("Deals where the step was not done in time since then"),
            """
            select
                steps.deal_id, steps.status as step_status, cast(steps.due_at as date) as due_on,
                cast(steps.done_at as date) as done_on
            from fct_journey_steps as steps
            left join dim_users as users on steps.owner_id = users.user_id
            inner join dim_deals as deals on steps.deal_id = deals.deal_id
            where steps.step = $its_step and not steps.is_on_time and steps.due_at >= $its_start
                and ($its_segment is null or steps.segment = $its_segment)
                and ($its_channel is null or deals.channel = $its_channel)
                and ($its_team is null or users.team = $its_team)
            """,
            {"step_status": t("The step"), "due_on": t("Due"), "done_on": t("Done")},
            order="case behind.step_status when 'overdue' then 0 when 'done_late' then 1 else 2 end,",
        )
    if alert.signal in ("loss_rate", "lead_quality"):
        lists["lost"] = Behind(
            t("Deals lost there since then"),
            f"""
            select visits.deal_id, cast(max(visits.exited_at) as date) as lost_on, max(deals.loss_reason) as loss_reason
            from fct_stage_visits as visits
            inner join dim_deals as deals on visits.deal_id = deals.deal_id
            where visits.exit_type = 'lost' and visits.exited_at >= $its_start
                and ($its_stage_id is null or visits.stage_id = $its_stage_id) {visits}
            group by visits.deal_id
            """,
            {"lost_on": t("Lost on"), "loss_reason": t("Stated reason")},
        )
    if alert.signal in ("inbound_volume", "inbound_mix"):
        deals = PLACE.format(v="deals")
        lists["came"] = Behind(
            t("New deals there since then"),
            f"select deals.deal_id from dim_deals as deals where deals.created_at >= $its_start {deals}",
            {},
        )
    if pd.notna(alert.row["stage_id"]):
        lists["then"] = Behind(
            t("Deals that were there on the day it was raised"),
            f"""
            select distinct visits.deal_id from fct_stage_visits as visits
            where visits.stage_id = $its_stage_id and cast(visits.entered_at as date) <= $its_day
                and (visits.exited_at is null or cast(visits.exited_at as date) > $its_day) {visits}
            """,
            {},
            t("The count is the alert's own."),
        )
        lists["now"] = Behind(
            t("Deals that are there now"),
            f"""
            select visits.deal_id, max(datediff('day', cast(visits.entered_at as date), $until)) as days_in_stage
            from fct_stage_visits as visits
            where visits.stage_id = $its_stage_id and visits.exit_type = 'still_there' {visits}
            group by visits.deal_id
            """,
            {"days_in_stage": t("Days in stage")},
        )
    return lists
