"""Today: what is wrong in the funnel, what changed since yesterday, whether the quarter's target is near."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import streamlit as st

from dashboard import alerts, charts, ui
from dashboard.filters import BEHIND_ALERTS, Filters, choice, write_address
from dashboard.published import Published
from dashboard.ui import Card
from dashboard.words import clock, day, days, interval, label, labels, money, moneys, number, t

# Moves within the open pipeline cancel out here and are left to the table.
FLOWS = ("created", "reopened", "transferred_in", "increased", "won", "lost", "transferred_out", "decreased")
OUT = ("won", "lost", "transferred_out", "decreased")
FLOW_WORDS = {
    "created": "New deals",
    "reopened": "Opened again",
    "transferred_in": "Handed over to here",
    "increased": "Amounts raised",
    "won": "Won",
    "lost": "Lost",
    "transferred_out": "Handed over from here",
    "decreased": "Amounts cut",
}
NONE = "none"
OLD = timedelta(hours=36)  # a night is made every day
SPANS = {"1": "the last day", "7": "7 days", "30": "30 days"}
MOVES = f"""
select
    currency,
    sum(opening_amount) filter (where date_day = $first) as opening_amount,
    sum(opening_deals) filter (where date_day = $first) as opening_deals,
    sum(closing_amount) filter (where date_day = $last) as closing_amount,
    sum(closing_deals) filter (where date_day = $last) as closing_deals,
    {", ".join(f"sum({flow}_amount) as {flow}_amount, sum({flow}_deals) as {flow}_deals" for flow in FLOWS)}
from fct_pipeline_movements
where date_day between $first and $last
    and ($pipeline is null or pipeline = $pipeline)
    and ($segment is null or segment = $segment)
    and ($team is null or team = $team)
group by currency
order by closing_amount desc nulls last
"""
# A day's counts are read against the middle one of the working days of twelve weeks before.
USUAL = """
with days as (
    select
        calendar.date_day, coalesce(sum(moves.created_deals), 0) as created, coalesce(sum(moves.won_deals), 0) as won,
        coalesce(sum(moves.lost_deals), 0) as lost
    from dim_dates as calendar
    left join fct_pipeline_movements as moves
        on calendar.date_day = moves.date_day
        and ($pipeline is null or moves.pipeline = $pipeline)
        and ($segment is null or moves.segment = $segment)
        and ($team is null or moves.team = $team)
    where calendar.is_business_day and calendar.date_day >= $first and calendar.date_day < $last
        and calendar.date_day > (select min(date_day) from fct_pipeline_movements)
    group by calendar.date_day
)

select count(*) as days, median(created) as created, median(won) as won, median(lost) as lost from days
"""


def page(published: Published, chosen: Filters) -> None:
    write_address("span", *BEHIND_ALERTS)
    raised = alerts.open_alerts(published, chosen)
    _headline(published, raised)
    _age(published)
    _cards(published, chosen)
    for number_shown, alert in enumerate(raised[: len(BEHIND_ALERTS)]):
        _alert(published, chosen, alert, number_shown)
    if len(raised) > len(BEHIND_ALERTS):
        ui.filter_note(t("More alerts open: {n}; the table below has all.", n=len(raised) - len(BEHIND_ALERTS)))
    left, right = st.columns(2)
    with left:
        _changed(published, chosen)
    with right:
        _bookings(published, chosen)
    _moved_risks(published, chosen)
    _past_alerts(published, chosen)


def _headline(published: Published, raised: list[alerts.Alert]) -> None:
    if not published.has("funnel_alerts"):
        ui.headline(t("Today"), t("Alerts are not in this publication"))
        return
    if raised:
        more = t("More problems open: {n}.", n=len(raised) - 1) if len(raised) > 1 else ""
        ui.headline(t("Today"), raised[0].short, more, bad=True)
        return
    watched = published.first(
        "select count(*) filter (where status = 'watching') as watched, max(ready_on) as ready_on from "
        "funnel_visibility"
        if published.has("funnel_visibility")
        else "select 0 as watched, null as ready_on"
    )
    if watched.get("watched"):
        ui.headline(
            t("Today"),
            t("No problem in the funnel is open"),
            t("Silence is news only where something could be seen: the Data page says where."),
        )
    else:
        learning = t(
            "The charts learn what is usual first; the first day they judge is {day}.", day=day(watched.get("ready_on"))
        )
        ui.headline(t("Today"), t("Nothing is judged yet"), learning)


def _age(published: Published) -> None:
    """Which publication is shown; and, with the clock on the wall, whether a night is missing or brought nothing new.

    An old day of the figures is told apart from an old publication: the one wants the extracts mended, the other the
    night.
    """
    if published.published_at is None:
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    ui.note(
        t(
            "Figures of {as_of}, published {at} as {id}.",
            as_of=clock(published.as_of),
            at=clock(published.published_at),
            id=published.publication_id,
        )
    )
    if now - published.published_at > OLD:
        ui.warning(
            t(
                "Nothing has been published for {days}: the night has not run, or was refused.",
                days=_how_long(now - published.published_at),
            ),
            bad=True,
        )
    if published.as_of is not None and published.published_at - published.as_of > OLD:
        ui.warning(
            t(
                "The newest extract is {days} older than the publication: today is not in these figures.",
                days=_how_long(published.published_at - published.as_of),
            )
        )


def _how_long(span: timedelta) -> str:
    return days(span.days) if span.days > 1 else t("{n} hours", n=number(span.total_seconds() // 3600))


def _last_day(published: Published) -> date | None:
    """The last day of which the open pipeline is known."""
    last = published.first("select max(date_day) as day from fct_pipeline_movements")["day"]
    return None if pd.isna(last) else pd.Timestamp(last).date()


def _cards(published: Published, chosen: Filters) -> None:
    shown = []
    if published.has("fct_pipeline_movements"):
        last = _last_day(published)
        moved = published.query(MOVES, **chosen.values, first=last, last=last)
        opened, closed = moved["opening_deals"].sum(), moved["closing_deals"].sum()
        if last and len(moved):
            step = closed - opened
            shown.append(
                Card(
                    t("Open pipeline"),
                    moneys(moved, "closing_amount"),
                    t(
                        "{n} deals, {change} since the day before",
                        n=number(closed),
                        change=f"{'+' if step > 0 else ''}{number(step)}",
                    ),
                )
            )
            usual = published.first(USUAL, **chosen.values, first=last - timedelta(days=84), last=last)
            for flow, what in (
                ("created", t("Deals created on {day}", day=day(last))),
                ("won", t("Deals won on {day}", day=day(last))),
                ("lost", t("Deals lost on {day}", day=day(last))),
            ):
                amount = moneys(moved, f"{flow}_amount")
                of_old = usual.get(flow)
                known = pd.notna(of_old) and usual["days"] >= 28
                note = t("{amount}; usually about {n}", amount=amount, n=number(of_old)) if known else amount
                shown.append(Card(what, number(moved[f"{flow}_deals"].sum()), note))
    if published.has("bookings_nowcast"):
        booked = _nowcast(published, chosen)
        end = booked[booked["horizon"] == "quarter_end"]
        if len(end):
            row = end.iloc[0]
            until = day(row["horizon_ends_on"] - timedelta(days=1))  # the first day after it, as published
            said = interval(row["low_80"], row["high_80"], money)
            target = (
                t("target {target}", target=money(row["target"])) if pd.notna(row["target"]) else t("no target is set")
            )
            shown.append(
                Card(
                    t("Bookings expected by {day}", day=until),
                    money(row["median"], row["currency"]),
                    f"{said}; {target}. {chosen.except_for('pipeline')}".removesuffix(". "),
                )
            )
    if shown:
        ui.cards(shown)


def _alert(published: Published, chosen: Filters, alert: alerts.Alert, position: int) -> None:
    with st.container(border=True, key=f"alert_{position}"):
        ui.said(alert.text, alert.chips)
        seen = alerts.chart_of(published, alert)
        left, right = st.columns([3, 2])
        with left:
            if seen.empty:
                ui.nothing(t("This alert has no chart: it is of single days."))
            else:
                chart = charts.against_expected(seen, alert.measure, alert.form, alert.since, (t("seen"), t("usual")))
                ui.figure(
                    f"alert_{position}",
                    t("Seen and usual, by week"),
                    chart,
                    seen,
                    t("Grey: where nine in ten weeks would be. Red: since it began."),
                )
            for other in alert.others:
                ui.note(other)
        with right:
            groups = alerts.other_groups(published, alert)
            if not groups.empty:
                ui.figure(
                    f"alert_{position}_groups",
                    t("Since it began until now, here and elsewhere"),
                    charts.forest(
                        groups, t("done in time"), colors={t("here"): charts.BAD, t("elsewhere"): charts.MAIN}
                    ),
                    groups,
                    t(
                        "Of the steps due since then, 90% interval; the chart beside is of all that wait, and the "
                        "sentence above of the day on which the alert was raised."
                    ),
                )
        behind = alerts.deals_behind(alert)
        # the first alert's deals stand there; those of the others wait to be asked for
        names = [NONE, *behind] if position and behind else list(behind)
        shown = choice(
            BEHIND_ALERTS[position],
            t("Deals behind it"),
            names,
            names[0] if names else NONE,
            lambda name: t("none") if name == NONE else behind[name].heading,
            pills=True,
        )
        if one := behind.get(shown):
            ui.deals_behind(
                published,
                f"alert_{position}_{shown}",
                one.heading,
                one.sql,
                {**alert.values, **chosen.values},
                one.more,
                one.order,
                one.note,
            )


def _changed(published: Published, chosen: Filters) -> None:
    if not published.has("fct_pipeline_movements"):
        ui.not_published("fct_pipeline_movements")
        return
    span = choice("span", t("What changed in"), list(SPANS), "1", lambda code: t(SPANS[code]), pills=True)
    last = _last_day(published)
    moved = published.query(MOVES, **chosen.values, first=last and last - timedelta(days=int(span) - 1), last=last)
    moved = moved.head(1).fillna(0)
    frame = _steps(moved.iloc[0].to_dict()) if len(moved) else pd.DataFrame()
    ui.figure(
        "changed",
        t("The open pipeline, and what came and went"),
        None if frame.empty else charts.waterfall(frame),
        frame,
        t(
            "Amounts in {currency}. The bars begin where the axis does, not at zero.",
            currency=moved["currency"].iloc[0] if len(moved) else "",
        ),
        t("No pipeline is known on this day."),
    )


def _steps(moved: dict) -> pd.DataFrame:
    """The waterfall's bars: each begins where the one before ended."""
    at = float(moved["opening_amount"])
    steps = [(t("Opening"), 0.0, at, "total", moved["opening_deals"], at)]
    for flow in FLOWS:
        change = float(moved[f"{flow}_amount"]) * (-1 if flow in OUT else 1)
        if change or moved[f"{flow}_deals"]:
            steps.append(
                (
                    t(FLOW_WORDS[flow]),
                    at,
                    at + change,
                    "won" if flow == "won" else "out" if flow in OUT else "in",
                    moved[f"{flow}_deals"],
                    change,
                )
            )
            at += change
    steps.append(
        (
            t("Closing"),
            0.0,
            float(moved["closing_amount"]),
            "total",
            moved["closing_deals"],
            float(moved["closing_amount"]),
        )
    )
    frame = pd.DataFrame(steps, columns=["name", "start", "stop", "kind", "n", "change"])
    texts = [
        f"{'+' if kind == 'in' else ''}{money(change)} · {number(n)}"
        for kind, n, change in zip(frame["kind"], frame["n"], frame["change"], strict=True)
    ]
    return frame.assign(n_text=texts)


def _nowcast(published: Published, chosen: Filters) -> pd.DataFrame:
    return published.query(
        """
        select horizon, horizon_ends_on, currency, booked_so_far, expected_open, expected_new, median,
            low_80, high_80, target, gap
        from bookings_nowcast
        where segment = coalesce($segment, 'all') and team = coalesce($team, 'all')
            -- amounts of two currencies do not add up: the one with most is shown
            and currency = (
                select currency from bookings_nowcast where segment = 'all' and team = 'all'
                group by currency order by max(open_amount) desc nulls last, currency limit 1
            )
        order by horizon_ends_on
        """,
        **chosen.values,
    )


def _bookings(published: Published, chosen: Filters) -> None:
    if not published.has("bookings_nowcast"):
        with st.container(border=True):
            ui.title(t("Bookings against target"))
            ui.not_published("bookings_nowcast")
        return
    booked = _nowcast(published, chosen)
    booked = booked.dropna(subset=["median"])
    frame = booked.assign(
        name=[f"{label(row.horizon)}, {day(row.horizon_ends_on - timedelta(days=1))}" for row in booked.itertuples()],
        value=booked["median"].astype(float),
        low=booked["low_80"].astype(float),
        high=booked["high_80"].astype(float),
        target=booked["target"].astype(float),
        n_text=[money(row.median, row.currency) for row in booked.itertuples()],
    )
    ui.figure(
        "bookings",
        t("Bookings against target"),
        charts.forest(frame, t("Amount"), form="~s", reference="target"),
        frame,
        t(
            "Median and 80% interval: what is booked, what open deals bring, what deals not yet created bring. "
            "Tick: target."
        ),
    )
    ui.filter_note(chosen.except_for("pipeline"))


def _moved_risks(published: Published, chosen: Filters) -> None:
    if not published.has("deal_risk_history"):
        return
    moved = published.query(
        """
        -- what was said last night, and the last thing said before it
        with nights as (select *, max(as_of) over () as last_night from deal_risk_history where as_of > $last - 60),

        said as (
            select
                deal_id, max(p_win_90d) filter (where as_of = last_night) as p_win_90d,
                max_by(p_win_90d, as_of) filter (where as_of < last_night) as before
            from nights
            group by deal_id
        )

        select
            deals.deal_id, deals.deal_name, deals.team, deals.stage, cast(deals.amount as double) as amount,
            deals.currency, said.before, said.p_win_90d, said.p_win_90d - said.before as change
        from said
        inner join dim_deals as deals on said.deal_id = deals.deal_id
        where said.p_win_90d <> said.before
            and ($pipeline is null or deals.pipeline = $pipeline)
            and ($segment is null or deals.segment = $segment)
            and ($team is null or deals.team = $team)
        order by abs(said.p_win_90d - said.before) * coalesce(deals.amount, 0) desc, deals.deal_id
        limit 10
        """,
        **chosen.values,
        last=published.as_of_day,
    )
    if moved.empty:
        return
    heads = st.column_config
    ui.table(
        "moved_risks",
        t("Deals whose chance moved since the night before"),
        moved,
        {
            "deal_name": t("Deal"),
            "team": t("Team"),
            "stage": t("Stage"),
            "amount": heads.NumberColumn(t("Amount"), format="localized"),
            "currency": t("Currency"),
            "before": heads.NumberColumn(t("Chance before"), format="percent"),
            "p_win_90d": heads.NumberColumn(t("Chance to win within 90 days"), format="percent"),
            "change": heads.NumberColumn(t("Change"), format="percent"),
        },
        opens_deals=True,
    )


def _past_alerts(published: Published, chosen: Filters) -> None:
    if not published.has("funnel_alerts"):
        return
    told = ui.listed(published, alerts.ALL)
    said = told.frame.assign(
        explanation=[alerts.told(row) for row in told.frame.to_dict("records")],
        status=labels(told.frame["status"]),
        signal=labels(told.frame["signal"]),
    )
    ui.table(
        "alerts",
        t("All alerts, open and cleared"),
        said[["raised_on", "status", "signal", "explanation", "deals_affected"]],
        {
            "raised_on": st.column_config.DateColumn(t("Raised"), format="YYYY-MM-DD"),
            "status": t("Status"),
            "signal": t("Signal"),
            "explanation": st.column_config.TextColumn(t("What"), width="large"),
            "deals_affected": t("Deals"),
        },
        note=" ".join([told.said, chosen.except_for("pipeline", "segment", "team")]).strip(),
        why=t("None was ever raised."),
        full=told.full,
    )


page(*ui.here())
