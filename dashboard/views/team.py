"""Team: who does better than what they were given would let expect, and what is done in time. No place by chance."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import alerts, charts, ui
from dashboard.export import csv
from dashboard.filters import Filters, choice, write_address
from dashboard.published import Published
from dashboard.shares import with_shares
from dashboard.words import days, interval, label, labels, number, share, t

LEAST = 30  # steps a team was due, below which it is not spoken of
DRAWN = 40  # people
# Counts by person: teams are sums of them. One pass over the steps.
STEPS = """
select
    steps.owner_id as id, coalesce(max(users.user_name), steps.owner_id) as name,
    coalesce(max(users.team), 'unknown') as team, count(*) as total, count(*) filter (where steps.is_on_time) as n
from fct_journey_steps as steps
left join dim_users as users on steps.owner_id = users.user_id
where steps.is_on_time is not null and steps.due_at >= $since
    and ($segment is null or steps.segment = $segment)
    and ($team is null or users.team = $team)
    and ($step is null or steps.step = $step)
    {in_pipeline}
group by steps.owner_id
"""
IN_PIPELINE = "and steps.deal_id in (select deal_id from dim_deals where pipeline = $pipeline)"


def page(published: Published, chosen: Filters) -> None:
    write_address("step", "card_period")
    if not published.has("dim_users", "fct_journey_steps"):
        ui.headline(t("Team"), t("The journey's steps are not in this publication"))
        return
    steps = published.column("select step from fct_journey_steps group by step order by min(step_number), step")
    step = st.session_state.get("step") or ""
    step = step if step in steps else ""
    by_person = _on_time(published, chosen, step)
    teams = _shares(by_person.groupby("team", as_index=False)[["total", "n"]].sum().rename(columns={"team": "name"}))
    teams = teams.assign(name=labels(teams["name"]))
    _headline(teams, step, _alerted(published, chosen))
    choice("step", t("The step"), ["", *steps], "", lambda code: label(code) if code else t("all key steps"))
    left, right = st.columns(2)
    with left:
        ui.figure(
            "teams_on_time",
            t("Key steps done in time, by team"),
            charts.forest(teams, ""),
            teams,
            t(
                "Of those due in the period, with the 90% interval. Missed, skipped and overdue ones count as "
                "not in time."
            )
            + (
                ""
                if step and chosen.segment
                else " " + t("Steps and segments are not equally hard: choose one of each to compare teams.")
            ),
            t("No step was due in this period."),
        )
    with right:
        people = _shares(by_person)
        people = people.assign(name=people["name"].fillna(t("unknown")))
        drawn = people.head(DRAWN)
        if len(teams) > 1:
            drawn = drawn.assign(name=drawn["name"] + " · " + labels(drawn["team"]))
        cut = t("Drawn are the {n} lowest of {total}; the export has all.", n=DRAWN, total=number(len(people)))
        ui.figure(
            "people_on_time",
            t("Key steps done in time, by person"),
            charts.forest(drawn, ""),
            people,
            " ".join(
                [
                    t("Where intervals overlap, the order may be chance."),
                    cut if len(people) > DRAWN else "",
                ]
            ),
            t("No step was due in this period."),
        )
    if published.has("manager_scorecard"):
        _scorecard(published, chosen)
    else:
        with st.container(border=True):
            ui.title(t("Scorecard"))
            ui.not_published("manager_scorecard")
    _trend(published, chosen)
    _not_in_time(published, chosen, step)
    _behind(published, chosen, step)


def _on_time(published: Published, chosen: Filters, step: str) -> pd.DataFrame:
    sql = STEPS.format(in_pipeline=IN_PIPELINE if chosen.pipeline else "")
    return published.query(sql, **chosen.values, step=step or None)


def _shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Shares with their interval, the lowest first. Columns of `counts`: name, total, n."""
    shares = with_shares(counts).sort_values("value")
    texts = [t("{share}, n = {n}", share=share(row.value), n=number(row.total)) for row in shares.itertuples()]
    return shares.assign(n_text=texts)


def _alerted(published: Published, chosen: Filters) -> str:
    """The newest open alert on a step of a team, where this page has nothing of its own to say."""
    on_steps = (each.short for each in alerts.open_alerts(published, chosen) if each.signal == "task_timeliness")
    first = next(on_steps, None)
    return t("Open on the Today page: {alert}.", alert=first) if first else ""


def _headline(teams: pd.DataFrame, step: str, alerted: str) -> None:
    what = t("key steps") if not step else t("the step {step}", step=label(step))
    if teams.empty:
        ui.headline(t("Team"), t("No step was due in this period"))
        return
    if teams["total"].max() < LEAST:
        ui.headline(t("Team"), t("Too few steps were due to compare teams"), t("It takes {n} of a team.", n=LEAST))
        return
    teams = teams[teams["total"] >= LEAST]  # of fewer steps an interval holds, and still a team is not a headline
    worst = teams.iloc[0]
    others = teams.iloc[1:]
    total, done = others["total"].sum(), others["n"].sum()
    sub = t(
        "{share} ({interval}) in time, n = {n}.",
        share=share(worst["value"]),
        interval=interval(worst["low"], worst["high"]),
        n=number(worst["total"]),
    )
    if len(others) and worst["high"] < others["low"].min():
        ui.headline(
            t("Team"),
            t("{team} does {what} in time less often than every other team", team=worst["name"], what=what),
            sub + " " + t("The others: {share}, n = {n}.", share=share(done / total), n=number(total)),
            bad=True,
        )
    elif len(teams) == 1:
        ui.headline(
            t("Team"),
            t("{team} does {share} of {what} in time", team=worst["name"], share=share(worst["value"]), what=what),
            sub,
        )
    else:
        ui.headline(
            t("Team"),
            t("No team stands apart in doing {what} in time", what=what),
            t(
                "{share} of {n} were in time; the intervals of the lowest and the others overlap.",
                share=share(teams["n"].sum() / teams["total"].sum()),
                n=number(teams["total"].sum()),
            )
            + f" {alerted}",
        )


def _scorecard(published: Published, chosen: Filters) -> None:
    found = published.query("select distinct period_days from manager_scorecard order by period_days")
    periods = found["period_days"].astype(str).tolist()
    period = choice(
        "card_period",
        t("Scorecard of the last"),
        periods,
        periods[-1] if periods else "",
        lambda code: days(int(code)),
        pills=True,
    )
    rows = published.query(
        """
        select card.*, coalesce(users.user_name, card.owner_id) as name
        from manager_scorecard as card
        left join dim_users as users on card.owner_id = users.user_id
        where card.period_days = $period and card.segment = coalesce($segment, '(all)')
            and ($team is null or card.team = $team)
        -- an order is a ranking: there is one only where somebody has a place
        order by card.place nulls last, card.team, name, card.owner_id
        """,
        **chosen.values,
        period=int(period or 0),
    )
    frame = rows.assign(
        value=rows["win_rate_adjusted"],
        low=rows["win_rate_adjusted_low"],
        high=rows["win_rate_adjusted_high"],
        n_text=[f"{share(row.win_rate_adjusted)}, n = {number(row.closed)}" for row in rows.itertuples()],
    )
    placed = int(rows["place"].notna().sum()) if len(rows) else 0
    said = t(
        "{n} of {total} have a place: those whose interval overlaps with nobody else's.",
        n=number(placed),
        total=number(len(rows)),
    )
    ui.figure(
        "scorecard",
        t("Win rate, adjusted for what each was given"),
        charts.forest(frame.dropna(subset=["value"]), "", reference="expected_win_rate")
        if frame["value"].notna().any()
        else None,
        frame,
        t("Shrunk to the mean where n is small; 90% interval. Tick: what their deals' mix would let expect.")
        + " "
        + said
        + " "
        + chosen.except_for("pipeline"),
    )
    frame = frame.assign(
        on_time_interval=[interval(row.on_time_share_low, row.on_time_share_high) for row in frame.itertuples()]
    )
    heads = st.column_config
    columns = [
        "place",
        "name",
        "team",
        "deals",
        "done_share",
        "on_time_share",
        "on_time_interval",
        "on_time_share_expected",
        "card_completeness",
        "contacts_per_week",
        "contacts_per_deal",
        "contacts_per_deal_expected",
        "wins",
        "closed",
        "win_rate",
        "expected_win_rate",
        "win_rate_adjusted",
        "outside_control",
        "others_on_time_share",
        "place_reason",
    ]
    ui.table(
        "scorecard_table",
        t("Scorecard"),
        frame[[column for column in columns if column in frame]].round(3),
        {
            "place": heads.NumberColumn(t("Place")),
            "name": t("Owner"),
            "team": t("Team"),
            "deals": t("Deals"),
            "done_share": heads.NumberColumn(t("Steps done"), format="percent"),
            "on_time_share": heads.NumberColumn(t("In time"), format="percent"),
            "on_time_interval": t("90% interval"),
            "on_time_share_expected": heads.NumberColumn(t("In time, expected"), format="percent"),
            "card_completeness": heads.NumberColumn(t("Card filled"), format="percent"),
            "contacts_per_week": heads.NumberColumn(t("Contacts a week"), format="%.1f"),
            "contacts_per_deal": heads.NumberColumn(t("Contacts a deal"), format="%.1f"),
            "contacts_per_deal_expected": heads.NumberColumn(t("Of all, such deals"), format="%.1f"),
            "wins": t("Wins"),
            "closed": t("Closed"),
            "win_rate": heads.NumberColumn(t("Win rate"), format="percent"),
            "expected_win_rate": heads.NumberColumn(t("Expected"), format="percent"),
            "win_rate_adjusted": heads.NumberColumn(t("Adjusted"), format="percent"),
            "outside_control": heads.NumberColumn(t("Outside their control"), format="percent"),
            "others_on_time_share": heads.NumberColumn(t("Others in time"), format="percent"),
            "place_reason": t("Why no place"),
        },
        note=" ".join(
            [
                t("Expected: had their steps been done as the same steps in the same segments are by all."),
                chosen.except_for("pipeline"),
            ]
        ),
        full=lambda: csv(rows),
    )


def _trend(published: Published, chosen: Filters) -> None:
    if not published.has("indicator_trends"):
        return
    rows = published.query(
        """
        select team, week_start_date, n, value, value_low, value_high from indicator_trends
        where indicator = 'tasks_on_time' and owner_id = '(all)' and team <> '(all)'
            and segment = '(all)' and week_start_date >= $since and ($team is null or team = $team)
        order by team, week_start_date
        """,
        **chosen.values,
    )
    chart = None
    if len(rows):
        chart = (
            alt.Chart(rows)
            .mark_line(strokeWidth=2)
            .encode(
                x=alt.X(
                    "week_start_date:T",
                    title=None,
                    axis=alt.Axis(format="%b %Y", tickCount="month", grid=False, labelOverlap=True),
                ),
                y=alt.Y("value:Q", scale=alt.Scale(zero=False), axis=alt.Axis(format=".0%", title="")),
                color=alt.Color("team:N", scale=alt.Scale(range=charts.SERIES)),
                tooltip=[
                    alt.Tooltip("team:N", title=t("Team")),
                    alt.Tooltip("week_start_date:T", title=" ", format="%e %b %Y"),
                    alt.Tooltip("value:Q", format=".0%", title=t("in time")),
                    alt.Tooltip("value_low:Q", format=".0%", title=t("at least")),
                    alt.Tooltip("value_high:Q", format=".0%", title=t("at most")),
                    alt.Tooltip("n:Q", format=",.0f", title="n"),
                ],
            )
            .properties(height=260, width="container")
        )
    ui.figure(
        "team_trend",
        t("Share of a deal's key steps in time, by week"),
        chart,
        rows,
        " ".join(
            [
                t("Mean over deals looked at in the week; intervals and n are in the tooltip."),
                chosen.except_for("pipeline", "segment"),
            ]
        ),
    )


OF_STEPS = """
    from fct_journey_steps as steps
    inner join dim_deals as deals on steps.deal_id = deals.deal_id
    left join dim_users as users on steps.owner_id = users.user_id
    where {condition}
        and ($pipeline is null or deals.pipeline = $pipeline)
        and ($segment is null or steps.segment = $segment)
        and ($team is null or users.team = $team)
        and ($step is null or steps.step = $step)
"""
DEALS_OF_STEPS = f"""
    select steps.deal_id, count(*) as {{count}}, min(cast(steps.due_at as date)) as due_on
    {OF_STEPS}
    group by steps.deal_id
"""
STEPS_OF_DEAL = f"""
    select string_agg({{which}}, ', ' order by steps.step_number)
    {OF_STEPS}
        and steps.deal_id = listed.deal_id
"""


def _not_in_time(published: Published, chosen: Filters, step: str) -> None:
    """The deals behind the shares: of the same steps, those that were not done in time."""
    condition = "not steps.is_on_time and steps.due_at >= $since"
    which = "replace(steps.step, '_', ' ') || coalesce(' (' || users.user_name || ')', '')"
    ui.deals_behind(
        published,
        "team_not_in_time",
        t("Deals with a key step due in the period and not done in time"),
        DEALS_OF_STEPS.format(count="steps_late", condition=condition),
        {**chosen.values, "step": step or None},
        {
            "which": st.column_config.TextColumn(t("Not in time"), width="large"),
            "steps_late": t("Steps"),
            "due_on": st.column_config.DateColumn(t("Due"), format="YYYY-MM-DD"),
        },
        order="(deals.status = 'open') desc,",
        note=t("A deal may have several such steps: the shares count steps."),
        spelled={"which": STEPS_OF_DEAL.format(which=which, condition=condition)},
    )


def _behind(published: Published, chosen: Filters, step: str) -> None:
    condition = "steps.status = 'overdue' and deals.status = 'open'"
    ui.deals_behind(
        published,
        "team_deals",
        t("Open deals with a key step overdue"),
        DEALS_OF_STEPS.format(count="overdue", condition=condition),
        {**chosen.values, "step": step or None},
        {"which": t("Overdue"), "due_on": st.column_config.DateColumn(t("Due"), format="YYYY-MM-DD")},
        spelled={"which": STEPS_OF_DEAL.format(which="replace(steps.step, '_', ' ')", condition=condition)},
    )


page(*ui.here())
