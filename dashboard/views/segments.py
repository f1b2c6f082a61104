"""Segments and channels: who comes in, what they are worth and will come to, whether customers begin to use it."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import charts, ui
from dashboard.filters import Filters, choice, write_address
from dashboard.published import Published
from dashboard.shares import Z, surely, with_shares
from dashboard.ui import Card
from dashboard.words import day, days, label, labels, money, number, share, t

CARDS = 8
OUTCOMES = """
with foreseen as (
    select * from cohort_deal_outcomes
    where expected_won is not null and cohort_month >= $since and ($pipeline is null or pipeline = $pipeline)
        and ($segment is null or segment = $segment)
)

select cohort_month as at, segment, sum(created) as n, sum(expected_won) / sum(created) as value,
    sum(win_rate_low * created) / sum(created) as low, sum(win_rate_high * created) / sum(created) as high,
    bool_or(is_too_young) as is_too_young
from foreseen
group by 1, 2
order by 2, 1
"""


def page(published: Published, chosen: Filters) -> None:
    write_address("mix_by", "quality", "quality_age", "channel")
    if not published.has("cohort_inbound_mix"):
        ui.headline(t("Segments and channels"), t("The cohort tables are not in this publication"))
        ui.not_published("cohort_inbound_mix")
        return
    mix = _mix(published, chosen)
    _headline(mix, chosen)
    _velocity(published, chosen)
    left, right = st.columns(2)
    with left:
        _volume(published, chosen)
    with right:
        _added(mix, chosen)
    left, right = st.columns(2)
    with left:
        _quality(published, chosen)
    with right:
        _outcomes(published, chosen)
    _activation(published, chosen)
    _behind(published, chosen)


def _mix(published: Published, chosen: Filters) -> pd.DataFrame:
    """The last four whole weeks against the weeks before, by segment and channel."""
    return published.query(
        """
        with whole as (
            select *, dense_rank() over (order by week_start_date desc) as weeks_ago
            from cohort_inbound_mix
            where is_week_complete and added_deals is not null and ($segment is null or segment = $segment)
        )

        select segment, channel, sum(new_deals) as came, sum(weekly_deals_before) as usual,
            sum(added_deals) as added, min(week_start_date) as first_week, max(week_start_date) as last_week
        from whole where weeks_ago <= 4
        group by segment, channel
        order by added
        """,
        **chosen.values,
    )


def _spread(usual: pd.Series | float) -> pd.Series | float:
    """How far a count of four weeks lies from the mean of twelve by chance, both Poisson: 90%."""
    return Z * (usual * (1 + 4 / 12)) ** 0.5


def _headline(mix: pd.DataFrame, chosen: Filters) -> None:
    page_name = t("Segments and channels")
    if mix.empty:
        ui.headline(page_name, t("No whole week of new deals is known"))
        return
    came, usual = mix["came"].sum(), mix["usual"].sum()
    spread = _spread(max(usual, 1))
    text = (
        t("Fewer new deals than usual came in")
        if came < usual - spread
        else t("More new deals than usual came in")
        if came > usual + spread
        else t("As many new deals as usual came in")
    )
    # of many groups one is always the lowest: it is named where it is so beyond chance among so many
    missing = mix[surely(mix["usual"] - mix["came"], _spread(mix["usual"].clip(lower=1)))]
    sub = t(
        "{n} in the last four whole weeks where {usual} would be usual (beyond chance outside {low}–{high}).",
        n=number(came),
        usual=number(usual),
        low=number(usual - spread),
        high=number(usual + spread),
    )
    if len(missing):
        worst = missing.iloc[0]
        sub += " " + t(
            "Most missing: {segment}, {channel}: {n} instead of {usual}.",
            segment=label(worst["segment"]),
            channel=label(worst["channel"]),
            n=number(worst["came"]),
            usual=number(worst["usual"]),
        )
    sub = f"{sub} {chosen.except_for('pipeline', 'team')}".strip()
    ui.headline(page_name, text, sub, bad=came < usual - spread)


def _velocity(published: Published, chosen: Filters) -> None:
    if not published.has("cohort_sales_velocity"):
        return
    rows = published.query(
        """
        select pipeline, segment, currency, open_deals, cast(velocity_per_day as double) as velocity, win_rate,
            win_rate_deals as n, cycle_days
        from cohort_sales_velocity
        where ($pipeline is null or pipeline = $pipeline) and ($segment is null or segment = $segment)
        -- an order by amounts of two currencies would be none
        order by open_deals desc, pipeline, segment, currency
        """,
        **chosen.values,
    )
    several = rows["pipeline"].nunique() > 1
    ui.cards(
        [
            Card(
                f"{row.pipeline} · {label(row.segment)}" if several else label(row.segment),
                t("{amount} a day", amount=money(row.velocity, row.currency)),
                t(
                    "{n} open, {share} are won (n = {cases}), {days} to the win",
                    n=number(row.open_deals),
                    share=share(row.win_rate),
                    cases=number(row.n),
                    days=days(row.cycle_days),
                ),
            )
            for row in rows.head(CARDS).itertuples()
        ]
    )
    note = t("Not shown: {n} with fewer open deals.", n=len(rows) - CARDS) if len(rows) > CARDS else ""
    ui.filter_note(f"{note} {chosen.except_for('team')}".strip())


def _volume(published: Published, chosen: Filters) -> None:
    by = choice(
        "mix_by",
        t("New deals by"),
        ["segment", "channel", "margin_class"],
        "segment",
        lambda code: t({"segment": "segment", "channel": "channel", "margin_class": "margin"}[code]),
        pills=True,
    )
    rows = published.query(
        f"""
        select week_start_date, {by} as part, sum(new_deals) as value from cohort_inbound_mix
        where is_week_complete and week_start_date >= $since and ($segment is null or segment = $segment)
        group by 1, 2 order by 1, 2
        """,
        **chosen.values,
    )
    frame = rows.assign(at=rows["week_start_date"].dt.strftime("%Y-%m-%d"), part=labels(rows["part"]))
    ui.figure(
        "volume",
        t("New deals a week"),
        charts.stacked(frame, t("deals"), time_format="%e %b %y"),
        frame,
        " ".join([t("Whole weeks only."), chosen.except_for("pipeline", "team")]),
    )


def _added(mix: pd.DataFrame, chosen: Filters) -> None:
    frame = mix.assign(
        name=[f"{label(row.segment)}, {label(row.channel)}" for row in mix.itertuples()],
        value=mix["added"].astype(float),
        low=mix["added"] - _spread(mix["usual"].clip(lower=1)),
        high=mix["added"] + _spread(mix["usual"].clip(lower=1)),
        kind=[t("more") if added >= 0 else t("fewer") for added in mix["added"]],
        n_text=[t("{n}, usual {usual}", n=number(row.came), usual=number(row.usual)) for row in mix.itertuples()],
    )
    drawn = pd.concat([frame.head(6), frame.tail(6)]) if len(frame) > 12 else frame
    last_day = mix["last_week"].max() + pd.Timedelta(days=6)
    span = f"{day(mix['first_week'].min())} – {day(last_day)}" if len(mix) else ""
    ui.figure(
        "added",
        t("What each group added or took away"),
        charts.bars(
            drawn, t("deals in four weeks"), form="+,.0f", colors={t("more"): charts.GOOD, t("fewer"): charts.BAD}
        ),
        frame,
        " ".join(
            [
                t(
                    "Against the twelve weeks before each, with the 90% interval; {span}. The six that lost and "
                    "the six that gained most.",
                    span=span,
                ),
                chosen.except_for("pipeline", "team"),
            ]
        ),
    )


def _quality(published: Published, chosen: Filters) -> None:
    if not published.has("cohort_channel_quality"):
        ui.not_published("cohort_channel_quality")
        return
    measures = {"reached_sale": t("reached the sale phase"), "won": t("were won"), "lost": t("were lost")}
    ages = (
        published.query("select distinct age_days from cohort_channel_quality order by 1")["age_days"]
        .astype(str)
        .tolist()
    )
    left, right = st.columns(2)
    with left:
        measure = choice("quality", t("Share that"), list(measures), "reached_sale", measures.get)
    with right:
        age = choice("quality_age", t("At the age of"), ages, "60", lambda code: days(int(code)))
    rows = published.query(
        f"""
        select channel, sum({measure}) as n, sum(created) as total,
            sum({measure}_rate_adjusted * created) / sum(created) as adjusted
        from cohort_channel_quality
        where age_days = $age and cohort_month >= $since
        group by channel having sum(created) > 0 order by adjusted desc
        """,
        **chosen.values,
        age=int(age or 0),
    )
    frame = with_shares(rows)
    frame = frame.assign(
        name=labels(frame["channel"]),
        n_text=[t("{share}, n = {n}", share=share(row.value), n=number(row.total)) for row in frame.itertuples()],
    )
    ui.figure(
        "quality",
        t("Channels at equal age"),
        charts.forest(frame, "", reference="adjusted"),
        frame,
        " ".join(
            [
                t(
                    "Deals created in the period that have reached the age; 90% interval. Tick: had all brought "
                    "the same segments."
                ),
                chosen.except_for("pipeline", "segment", "team"),
            ]
        ),
        t("No deal of the period has reached this age."),
    )


def _outcomes(published: Published, chosen: Filters) -> None:
    if not published.has("cohort_deal_outcomes"):
        ui.not_published("cohort_deal_outcomes")
        return
    rows = published.query(OUTCOMES, **chosen.values)
    chart = None
    if len(rows):
        frame = rows.assign(segment=labels(rows["segment"]), young=rows["is_too_young"].fillna(False).astype(bool))
        x = alt.X("at:T", title=None, axis=alt.Axis(format="%b %Y", tickCount="month", grid=False, labelOverlap=True))
        color = alt.Color("segment:N", scale=alt.Scale(range=charts.SERIES), legend=charts.solid_legend())
        scale = alt.Scale(zero=False)
        tips = [
            alt.Tooltip("segment:N", title=" "),
            alt.Tooltip("at:T", title=" ", format="%b %Y"),
            alt.Tooltip("value:Q", title=t("will be won"), format=".1%"),
            alt.Tooltip("low:Q", title=t("at least"), format=".1%"),
            alt.Tooltip("high:Q", title=t("at most"), format=".1%"),
            alt.Tooltip("n:Q", title="n", format=",.0f"),
        ]
        base = alt.Chart(frame).encode(x=x)
        chart = alt.layer(
            base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q", color=color),
            base.mark_line(strokeWidth=2).encode(
                y=alt.Y("value:Q", scale=scale, axis=alt.Axis(format=".0%", title="")), color=color
            ),
            base.mark_point(filled=True, size=50, opacity=1).encode(
                y=alt.Y("value:Q", scale=scale),
                color=alt.condition("datum.young", alt.value(charts.FAINT), color),
                tooltip=tips,
            ),
        ).properties(height=260, width="container")
    ui.figure(
        "outcomes",
        t("What deals created in a month will come to"),
        chart,
        rows,
        " ".join(
            [
                t("Share that will have been won; the band is the 90% interval."),
                t("Grey: too young to tell."),
                chosen.except_for("team"),
            ]
        ),
    )


def _activation(published: Published, chosen: Filters) -> None:
    if not published.has("cohort_activation"):
        ui.not_published("cohort_activation")
        return
    rows = published.query(
        """
        select milestone, cohort_month as at, sum(won) as n, sum(reached) as reached, sum(waiting) as waiting,
            sum(reached_expected * won) / sum(won) as value, sum(reached_low * won) / sum(won) as low,
            sum(reached_high * won) / sum(won) as high, bool_or(is_too_young) as is_too_young
        from cohort_activation
        where cohort_month >= $since and ($segment is null or segment = $segment)
        group by 1, 2 having sum(won) > 0 order by 1, 2
        """,
        **chosen.values,
    )
    if rows.empty:
        with st.container(border=True):
            ui.title(t("Do customers start to use it and to pay?"))
            ui.nothing(t("No CRM tells of use or payments after a win in this period."))
        return
    sides = st.columns(2)
    for side, milestone in zip(sides, ("first_use", "first_revenue"), strict=True):
        frame = rows[rows["milestone"] == milestone].assign(is_grey=lambda each: each["is_too_young"])
        tips = [
            alt.Tooltip("at:T", title=" ", format="%b %Y"),
            alt.Tooltip("value:Q", title=t("will reach it"), format=".1%"),
            alt.Tooltip("reached:Q", title=t("so far"), format=",.0f"),
            alt.Tooltip("waiting:Q", title=t("waiting"), format=",.0f"),
            alt.Tooltip("n:Q", title="n", format=",.0f"),
        ]
        with side:
            ui.figure(
                f"activation_{milestone}",
                t("{milestone} after the win", milestone=label(milestone)),
                charts.trend(frame, "", tooltip=tips, height=220),
                frame,
                " ".join(
                    [
                        t(
                            "Share of a month's wins that will reach it, with what is to come; outer bounds of "
                            "the segments' intervals."
                        ),
                        t("Grey: too young to tell."),
                        chosen.except_for("pipeline", "team"),
                    ]
                ),
                t("The CRM does not tell of it."),
            )


def _behind(published: Published, chosen: Filters) -> None:
    if not published.has("dim_deals"):
        return
    channels = published.column("select distinct channel from dim_deals where channel is not null order by 1")
    channel = choice("channel", t("Channel"), ["", *channels], "", lambda code: label(code) if code else t("all"))
    ui.deals_behind(
        published,
        "new_deals",
        t("Deals created in the period"),
        """
        select deal_id, channel from dim_deals
        where created_at >= $since and ($pipeline is null or pipeline = $pipeline)
            and ($segment is null or segment = $segment) and ($team is null or team = $team)
            and ($channel is null or channel = $channel)
        """,
        {**chosen.values, "channel": channel or None},
        {"channel": t("Channel")},
    )


page(*ui.here())
