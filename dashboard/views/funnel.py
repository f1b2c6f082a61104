"""Funnel: what each stage will pass on, whether that is new, is it who came or what was done; how long it takes."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import alerts, charts, ui
from dashboard.filters import Filters, choice, month_back, write_address
from dashboard.published import Published
from dashboard.shares import surely
from dashboard.words import days, interval, labels, month, number, points, share, t

OUTCOMES = ("advanced", "lost", "moved_back", "handed_off", "still_there")
OUTCOME_WORDS = {  # of many deals
    "entered": "all that entered",
    "advanced": "went on",
    "lost": "were lost",
    "moved_back": "went back",
    "handed_off": "were handed off",
    "still_there": "are still there",
}
# The deals behind the figures below: by the way they left, at an age that all compared have reached, beyond the norm.
REACHED = """
exit_type = 'advanced' and days_in_stage <= $age and not is_left_truncated
and entered_at < (select max(cast(as_of + interval 1 second as date)) from cohort_same_age) - cast($age as integer)
"""
BEYOND_NORM = """
business_days_in_stage > (
    select norm_days from cohort_stage_durations as durations
    where durations.stage_id = visits.stage_id and durations.segment = visits.segment and clock = 'business'
        and cohort_month = $month
)
or exit_type = 'still_there' and deal_id in (
    select deal_id from indicator_values_today where indicator = 'stage_days_past_norm' and value > 0
)
"""
OUTCOME_COLORS = {
    "advanced": charts.GOOD,
    "lost": charts.BAD,
    "moved_back": "#c8792b",
    "handed_off": "#7a5195",
    "still_there": "#c4ccd4",
}
# Conversion is kept by segment, and over all segments by team: not by both at once.
BY_SEGMENT = "select * from cohort_stage_conversion where segment = $segment"
BY_TEAM = "select * from cohort_stage_conversion_rollups where rolled_up_by = 'team' and rolled_up_value = $team"
BY_NOTHING = "select * from cohort_stage_conversion_rollups where rolled_up_by = 'all'"


def page(published: Published, chosen: Filters) -> None:
    write_address("stage", "month", "age", "outcome")
    stages = (
        ui.stages(published, chosen.pipeline)
        if published.has("dim_stages")
        else pd.DataFrame(columns=["stage_id", "name"])
    )
    if not published.has("cohort_stage_conversion", "cohort_stage_conversion_rollups", "cohort_same_age"):
        ui.headline(t("Funnel"), t("The cohort tables are not in this publication"))
        ui.not_published("cohort_stage_conversion", "cohort_stage_conversion_rollups", "cohort_same_age")
        return
    cohorts = _cohorts(published, chosen, stages)
    months = sorted(cohorts["cohort_month"].dt.strftime("%Y-%m").unique(), reverse=True) if len(cohorts) else []
    if not months:
        ui.headline(t("Funnel"), t("No deal has entered a stage in this period"))
        return
    told, compared = _differences(published, stages)
    alerted = _alerted(published, chosen)
    names = dict(zip(stages["stage_id"], stages["name"], strict=True))
    _headline(told, compared, chosen, names.get(alerted))
    ages = [str(each) for each in published.column("select distinct age_days from cohort_same_age order by 1")]
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        at = choice("month", t("Deals that entered in"), months, months[0], lambda code: month(f"{code}-01"))
    with right:
        age = choice("age", t("Compared at the age of"), ages, "30", lambda code: days(int(code)), pills=True)
    _overview(cohorts, stages, at, chosen)
    default = told.iloc[0]["stage_id"] if len(told) else alerted
    stage = choice("stage", t("Stage"), list(names), default, names.get, pills=True)
    left, right = st.columns(2)
    with left:
        _trend(cohorts[cohorts["stage_id"] == stage], names[stage], chosen)
    with right:
        _same_age(published, stage, names[stage], age, chosen)
    left, right = st.columns(2)
    with left:
        _durations(published, chosen, stage, names[stage], at)
    with right:
        _exits(cohorts[cohorts["stage_id"] == stage], names[stage], chosen)
    _behind(published, chosen, stage, names[stage], at, int(age or 0))


def _unsplit(chosen: Filters) -> str:
    """Conversion is kept by segment and by team, and not by both: with both chosen, it is that of the segment."""
    return chosen.except_for("team") if chosen.segment else ""


def _cohorts(published: Published, chosen: Filters, stages: pd.DataFrame) -> pd.DataFrame:
    source = BY_SEGMENT if chosen.segment else BY_TEAM if chosen.team else BY_NOTHING
    found = published.query(
        f"""
        select
            stage_id, cohort_month, entered, advanced, lost, moved_back, handed_off, still_there,
            conversion_expected, conversion_low, conversion_high, is_too_young
        from ({source}) where cohort_month >= $long_ago order by stage_id, cohort_month
        """,
        **chosen.values,
        # the months before the period are what it is held against
        long_ago=month_back(chosen.since, 12) if chosen.since.year > 1901 else chosen.since,
    )
    return found[found["stage_id"].isin(stages["stage_id"])].assign(
        is_in_period=lambda rows: rows["cohort_month"] >= pd.Timestamp(chosen.since)
    )


def _differences(published: Published, stages: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Stages whose newest cohort does worse than those before at the same age, surely for so many comparisons.

    And how many comparisons there were: where there were none, nothing is known to be well.
    """
    compared = published.query(
        """
        select
            *,
            -- worse is below for what advanced, above for what was lost; the bound on the side of no difference
            case exit_type when 'advanced' then -difference else difference end as worse,
            case exit_type when 'advanced' then -difference_high else difference_low end as worse_low
        from cohort_same_age
        where entered >= 30 and age_days >= 14 and difference_low is not null and exit_type in ('advanced', 'lost')
        qualify row_number() over (partition by stage_id, exit_type order by cohort_month desc, age_days desc) <= 2
        """
    ).merge(stages[["stage_id", "name"]], on="stage_id")
    told = compared[surely(compared["worse"], compared["worse"] - compared["worse_low"])]
    return told.sort_values("worse", ascending=False), len(compared)


def _alerted(published: Published, chosen: Filters) -> str | None:
    """The stage of the newest open alert, where the reader will want to begin."""
    stages = (alert.row["stage_id"] for alert in alerts.open_alerts(published, chosen))
    return next((stage for stage in stages if pd.notna(stage)), None)


def _headline(told: pd.DataFrame, compared: int, chosen: Filters, alerted: str | None) -> None:
    note = chosen.except_for("segment", "team")
    if told.empty:
        ui.headline(
            t("Funnel"),
            t("No stage does worse than in the year before at the same age, beyond chance")
            if compared
            else t("Nothing can be compared with the year before yet"),
            " ".join(
                [
                    t("An alert is open at {stage}: the Today page has it.", stage=alerted) if alerted else "",
                    t("Open deals are counted by what deals of their age came to.")
                    if compared
                    else t("It takes a month of 30 deals or more, and the year before it."),
                    note,
                ]
            ).strip(),
        )
        return
    row = told.iloc[0]
    text = (
        t(
            "{stage}: fewer deals have moved on after {days} than in the year before",
            stage=row["name"],
            days=days(row["age_days"]),
        )
        if row["exit_type"] == "advanced"
        else t(
            "{stage}: more deals are lost after {days} than in the year before",
            stage=row["name"],
            days=days(row["age_days"]),
        )
    )
    sub = t(
        "{month}: {rate} against {before} ({difference}, from {low} to {high}); {mix} of it is who came, "
        "{rate_effect} is what was done. n = {n}. {note}",
        month=month(row["cohort_month"]),
        rate=share(row["rate"]),
        before=share(row["rate_before"]),
        difference=points(row["difference"]),
        low=points(row["difference_low"]),
        high=points(row["difference_high"]),
        mix=points(row["segment_mix_effect"] + row["channel_mix_effect"]),
        rate_effect=points(row["rate_effect"]),
        n=number(row["entered"]),
        note=note,
    )
    ui.headline(t("Funnel"), text, sub, bad=True)


def _overview(cohorts: pd.DataFrame, stages: pd.DataFrame, at: str, chosen: Filters) -> None:
    month_at = pd.Timestamp(f"{at}-01")
    now = cohorts[cohorts["cohort_month"] == month_at]
    year = cohorts[
        (cohorts["cohort_month"] < month_at) & (cohorts["cohort_month"] >= pd.Timestamp(month_back(month_at, 12)))
    ]
    year = year.assign(expected=year["conversion_expected"] * year["entered"])
    before = year.groupby("stage_id")[["expected", "entered"]].sum()
    frame = stages.merge(now, on="stage_id").assign(
        value=lambda rows: rows["conversion_expected"],
        low=lambda rows: rows["conversion_low"],
        high=lambda rows: rows["conversion_high"],
        is_grey=lambda rows: rows["is_too_young"],
        before=lambda rows: rows["stage_id"].map(before["expected"] / before["entered"]),
        n_text=lambda rows: [
            t("too young to tell, n = {n}", n=number(n))
            if young
            else t("{share} ({interval}), n = {n}", share=share(value), interval=interval(low, high), n=number(n))
            for young, value, low, high, n in zip(
                rows["is_too_young"],
                rows["conversion_expected"],
                rows["conversion_low"],
                rows["conversion_high"],
                rows["entered"],
                strict=True,
            )
        ],
    )
    note = t("Share that will have moved on when all have left, with its 90% interval. Tick: the twelve months before.")
    ui.figure(
        "overview",
        t("What each stage will pass on, of those that entered in {month}", month=month(month_at)),
        charts.forest(frame, "", reference="before"),
        frame,
        f"{note} {_unsplit(chosen)}",
    )


def _trend(cohorts: pd.DataFrame, name: str, chosen: Filters) -> None:
    frame = cohorts[cohorts["is_in_period"]].assign(
        at=lambda rows: rows["cohort_month"],
        value=lambda rows: rows["conversion_expected"],
        low=lambda rows: rows["conversion_low"],
        high=lambda rows: rows["conversion_high"],
        is_grey=lambda rows: rows["is_too_young"],
    )
    tips = [
        alt.Tooltip("at:T", title=" ", format="%b %Y"),
        alt.Tooltip("value:Q", title=t("will move on"), format=".1%"),
        alt.Tooltip("low:Q", title=t("at least"), format=".1%"),
        alt.Tooltip("high:Q", title=t("at most"), format=".1%"),
        alt.Tooltip("entered:Q", title="n", format=",.0f"),
        alt.Tooltip("still_there:Q", title=t("still there"), format=",.0f"),
    ]
    young = int(frame["is_grey"].sum())
    note = t(
        "By month of entry; the band says where an open month may end. n = {low} to {high} a month.",
        low=number(frame["entered"].min() if len(frame) else None),
        high=number(frame["entered"].max() if len(frame) else None),
    )
    if young:
        note += " " + t("Grey: too young to tell.")
    note = f"{note} {_unsplit(chosen)}"
    ui.figure("trend", t("{stage}: what will move on", stage=name), charts.trend(frame, "", tooltip=tips), frame, note)


def _same_age(published: Published, stage: str, name: str, age: str | None, chosen: Filters) -> None:
    at_age = published.query(
        """
        select cohort_month, age_days, entered, rate, rate_before, difference, difference_low, difference_high,
            segment_mix_effect, channel_mix_effect, rate_effect
        from cohort_same_age
        where stage_id = $stage and age_days = $age and exit_type = 'advanced' and cohort_month >= $since
            and difference is not null
        order by cohort_month
        """,
        **chosen.values,
        stage=stage,
        age=int(age or 0),
    )
    parts = {
        "segment_mix_effect": t("other segments came"),
        "channel_mix_effect": t("other channels"),
        "rate_effect": t("the same did otherwise"),
    }
    frame = at_age.melt(
        ["cohort_month", "difference", "difference_low", "difference_high", "entered"], list(parts), "effect", "value"
    ).assign(
        at=lambda rows: rows["cohort_month"].dt.strftime("%Y-%m-%d"),
        part=lambda rows: rows["effect"].map(parts),
        total=lambda rows: rows["difference"],
        low=lambda rows: rows["difference_low"],
        high=lambda rows: rows["difference_high"],
        n_text=lambda rows: [f"n = {number(n)}" for n in rows["entered"]],
    )
    colors = dict(zip(parts.values(), ("#c8792b", "#e3b58a", charts.MAIN), strict=True))
    ui.figure(
        "same_age",
        t("{stage}: moved on at the same age, against the year before", stage=name),
        charts.stacked(frame, "", form="+.0%", colors=colors, total=True),
        frame,
        " ".join(
            [
                t("Dot: the difference, with its 90% interval; the bars add up to it."),
                chosen.except_for("segment", "team"),
            ]
        ),
        t("No month has reached this age with a year before it."),
    )


def _durations(published: Published, chosen: Filters, stage: str, name: str, at: str) -> None:
    if not published.has("cohort_stage_durations"):
        ui.not_published("cohort_stage_durations")
        return
    found = published.query(
        """
        select segment, stays, ended, median_days, p80_days, p80_unknown_because, norm_days
        from cohort_stage_durations
        where stage_id = $stage and clock = 'business' and cohort_month = $month
            and ($segment is null or segment = $segment)
        order by segment
        """,
        **chosen.values,
        stage=stage,
        month=pd.Timestamp(f"{at}-01").date(),
    )
    frame = found.assign(
        name=labels(found["segment"]),
        p50=found["median_days"].astype(float),
        p80=found["p80_days"].astype(float),
        norm=found["norm_days"].astype(float),
        n_text=[
            t("too young to tell, {ended} of {n} left", ended=number(row.ended), n=number(row.stays))
            if pd.isna(row.median_days)
            else t(
                "{half} / {most}, n = {n}",
                half=number(row.median_days),
                most=t("not yet") if pd.isna(row.p80_days) else number(row.p80_days),
                n=number(row.stays),
            )
            for row in found.itertuples()
        ],
    )
    ui.figure(
        "durations",
        t("{stage}: business days until they left, against the norm", stage=name),
        charts.ranges(frame, t("business days"), (t("half have left"), t("four in five have left"), t("norm"))),
        frame,
        " ".join(
            [
                t("Of those that entered in {month}; those still there count.", month=month(f"{at}-01")),
                chosen.except_for("team"),
            ]
        ),
    )


def _exits(cohorts: pd.DataFrame, name: str, chosen: Filters) -> None:
    shown = cohorts[cohorts["is_in_period"]]
    frame = shown.melt(["cohort_month"], list(OUTCOMES), "outcome", "value")
    frame = frame[frame.groupby("outcome")["value"].transform("sum") > 0].assign(
        at=lambda rows: rows["cohort_month"].dt.strftime("%Y-%m-%d"),
        part=lambda rows: [t(OUTCOME_WORDS[outcome]) for outcome in rows["outcome"]],
    )
    frame = frame.assign(order=frame["outcome"].map({outcome: place for place, outcome in enumerate(OUTCOMES)}))
    colors = {
        t(OUTCOME_WORDS[outcome]): color
        for outcome, color in OUTCOME_COLORS.items()
        if outcome in set(frame["outcome"])
    }
    ui.figure(
        "exits",
        t("{stage}: which way they left", stage=name),
        charts.stacked(frame, t("deals"), colors=colors),
        frame,
        f"{t('Stays by month of entry. Open ones are not counted as failures.')} {_unsplit(chosen)}",
    )


def _has_norm(published: Published, stage: str, at: pd.Timestamp) -> bool:
    if not published.has("cohort_stage_durations", "indicator_values_today"):
        return False
    found = published.first(
        """
        select count(norm_days) as n from cohort_stage_durations
        where stage_id = $stage and cohort_month = $month and clock = 'business'
        """,
        stage=stage,
        month=at.date(),
    )
    return found["n"] > 0


def _behind(published: Published, chosen: Filters, stage: str, name: str, at: str, age: int) -> None:
    """The deals behind the shares, by the way they left; behind a rate at an age; and beyond the norm."""
    said = {way: t(words) for way, words in OUTCOME_WORDS.items()}
    said["by_age"] = t("went on within {days}", days=days(age))
    first = pd.Timestamp(f"{at}-01")
    values = {"stage": stage, "month": first.date(), "next_month": (first + pd.offsets.MonthBegin(1)).date()}
    if _has_norm(published, stage, first):
        said["slow"] = t("stay or stayed beyond the norm")
    outcome = choice(
        "outcome",
        t("The deals behind: {stage}, entered in {month}", stage=name, month=month(f"{at}-01")),
        list(said),
        "still_there",
        said.get,
        pills=True,
    )
    condition = {"entered": "true", "by_age": REACHED, "slow": BEYOND_NORM}.get(outcome, "exit_type = $outcome")
    if outcome in OUTCOMES:
        values["outcome"] = outcome
    elif outcome == "by_age":
        values["age"] = age
    ui.deals_behind(
        published,
        "funnel_deals",
        f"{name}, {month(first)}: {said[outcome]}",
        f"""
        select
            deal_id, cast(max(exited_at) as date) as left_on,
            max(coalesce(days_in_stage, datediff('day', cast(entered_at as date), $until))) as days_in_stage
        from fct_stage_visits as visits
        where stage_id = $stage and entered_at >= $month and entered_at < $next_month
            and ({condition})
            and ($segment is null or segment = $segment)
            and ($team is null or team = $team)
        group by deal_id
        """,
        {**chosen.values, **values},
        {"days_in_stage": t("Days in stage"), "left_on": t("Left")},
        note=t("A deal that came back counts once here and for each stay in the figures."),
    )


page(*ui.here())
