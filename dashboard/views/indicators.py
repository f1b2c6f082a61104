"""Indicators: which to trust, what they serve, where they move, and whether they are made for the count."""

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import charts, ui
from dashboard.filters import Filters, choice, write_address
from dashboard.published import Published
from dashboard.words import interval, label, labels, number, t, texts

OTHER_WAY = "predicts, the other way than declared"
VERDICTS = {
    "predicts": charts.MAIN,
    OTHER_WAY: charts.PURPLE,
    "no evidence": charts.FAINT,
    "too few deals": charts.FAINT,
    "leaks": charts.AMBER,
    "gamed": charts.BAD,
}


def page(published: Published, chosen: Filters) -> None:
    write_address("indicator")
    if not published.has("indicator_ledger", "dim_indicators"):
        ui.headline(t("Indicators"), t("Indicators are not in this publication"))
        return
    ledger = _ledger(published, chosen)
    _headline(published, chosen, ledger)
    _forest(ledger, chosen)
    if published.has("metric_tree"):
        _tree(published, chosen)
    _trend(published, chosen, ledger)
    _integrity(published, chosen)
    _table(ledger)
    _quality(published)


def _ledger(published: Published, chosen: Filters) -> pd.DataFrame:
    rows = published.query(
        """
        select ledger.*, described.question, described.unit, described.direction
        from indicator_ledger as ledger
        left join dim_indicators as described on ledger.indicator = described.indicator
        where ledger.landmark = '(all)' and ledger.segment = coalesce($segment, '(all)')
        order by ledger.verdict <> 'predicts', abs(ln(ledger.odds_ratio)) desc nulls last, ledger.indicator
        """,
        **chosen.values,
    )
    # more wins with less of what was declared to be good, or the reverse: it predicts, and its norm misleads
    higher, lower = rows["direction"] == "higher", rows["direction"] == "lower"
    is_other_way = (rows["verdict"] == "predicts") & (
        (higher & (rows["odds_ratio_high"] < 1)) | (lower & (rows["odds_ratio_low"] > 1))
    )
    rows = rows.assign(is_other_way=is_other_way, said=rows["verdict"].mask(is_other_way, OTHER_WAY))
    return rows.assign(
        name=labels(rows["indicator"]),
        value=rows["odds_ratio"],
        low=rows["odds_ratio_low"],
        high=rows["odds_ratio_high"],
        kind=labels(rows["said"]),
        is_grey=rows["verdict"].isin(["too few deals", "no evidence"]),
        verdict_reason=texts(rows["verdict_reason"]),
        n_text=[f"n = {number(n)}" for n in rows["ended_deals"]],
    )


def _headline(published: Published, chosen: Filters, ledger: pd.DataFrame) -> None:
    counts = ledger["verdict"].value_counts()
    good, gamed = int(counts.get("predicts", 0)), int(counts.get("gamed", 0))
    other_way = int(ledger["is_other_way"].sum())
    notable = _notable(published, chosen) if published.has("indicator_integrity") else pd.DataFrame()
    if ledger.empty:
        ui.headline(t("Indicators"), t("No indicator is judged yet"))
        return
    sub = []
    if good:
        first = ledger.iloc[0]
        sub.append(t("Most telling: {indicator}.", indicator=first["name"]))
    if len(notable):
        sub.append(t("Signs that figures may be made for the count: {n}, see below.", n=number(len(notable))))
    text = t("{n} of {total} indicators predict who wins", n=number(good), total=number(len(ledger)))
    if other_way:
        text += t(", {n} of them the other way than declared", n=number(other_way))
    if gamed:
        text += t("; gamed: {n}", n=number(gamed))
    ui.headline(t("Indicators"), text, " ".join(sub), bad=bool(gamed))


def _forest(ledger: pd.DataFrame, chosen: Filters) -> None:
    frame = ledger.dropna(subset=["value", "low", "high"])
    frame = frame[(frame["low"] > 0) & (frame["high"] < 1e3)].sort_values("value", ascending=False)
    colors = {label(verdict): color for verdict, color in VERDICTS.items() if verdict in set(frame["said"])}
    tips = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("question:N", title=" "),
        alt.Tooltip("value:Q", title=t("odds ratio"), format=".2f"),
        alt.Tooltip("kind:N", title=t("Verdict")),
        alt.Tooltip("verdict_reason:N", title=" "),
        alt.Tooltip("measured_at:N", title=t("Measured at")),
    ]
    left_out = len(ledger) - len(frame)
    note = t(
        "Odds to win for one standard deviation more, of deals of the same segment, stage and age; 95% "
        "interval. Right of 1: more is better. Grey: nothing can be said."
    )
    if left_out:
        note += " " + t("Without an estimate: {n}, see the table.", n=left_out)
    ui.figure(
        "ledger",
        t("Does it predict won deals?"),
        charts.forest(frame, t("odds ratio"), form=".2~f", zero_line=1, log=True, colors=colors, tooltip=tips),
        frame.drop(columns=["as_of", "question"], errors="ignore"),
        " ".join([note, chosen.except_for("pipeline", "team")]),
    )


def _tree(published: Published, chosen: Filters) -> None:
    edges = published.query(
        """
        select tree.*, stages.stage, stages.position from metric_tree as tree
        left join dim_stages as stages on tree.stage_id = stages.stage_id
        where ($pipeline is null or stages.pipeline is null or stages.pipeline = $pipeline)
        """,
        **chosen.values,
    )
    stages = edges[(edges["kind"] == "stage") & edges["child"].str.startswith("conversion:")].sort_values("position")
    days = edges[(edges["kind"] == "stage") & edges["child"].str.startswith("days:")].set_index("stage_id")["strength"]
    nodes, lines, y = [], [], 0
    for stage in stages.itertuples():
        serving = edges[(edges["parent"] == stage.child) & (edges["verdict"] == "predicts")]
        serving = serving.assign(size=(serving["strength"] - 1).abs()).sort_values("size", ascending=False).head(4)
        top = y
        for each in serving.itertuples():
            text = t("{indicator}, odds × {odds}", indicator=label(each.child), odds=number(each.strength, 2))
            odds = interval(each.strength_low, each.strength_high, lambda value: number(value, 2))
            tip = f"{text} ({odds}), n = {number(each.n)}"
            nodes.append((2.45, y, text, label(each.kind), tip))
            y += 1
        y = max(y, top + 1)
        middle = (top + y - 1) / 2
        lines += [(1.15, middle, 2.45, top + place, 1.5) for place in range(len(serving))]
        text = t(
            "{stage}: {share}% move on, {days} days",
            stage=stage.stage,
            share=number(stage.strength * 100),
            days=number(days.get(stage.stage_id)),
        )
        tip = f"{text}; {interval(stage.strength_low, stage.strength_high)}, n = {number(stage.n)}"
        nodes.append((1.15, middle, text, t("stage"), tip))
    if not nodes:
        return
    unfiltered = chosen.except_for("segment", "team")
    middle = (y - 1) / 2
    lines += [(0.45, middle, 1.15, node[1], 2) for node in nodes if node[3] == t("stage")]
    nodes += [
        (0.0, middle, t("won revenue"), t("the figure that counts"), ""),
        (0.45, middle, t("won deals"), t("the figure that counts"), ""),
    ]
    lines.append((0.0, middle, 0.45, middle, 3))
    frame = pd.DataFrame(nodes, columns=["x", "y", "text", "kind", "tip"])
    chart = charts.tree(frame, pd.DataFrame(lines, columns=["x", "y", "x2", "y2", "weight"]))
    ui.figure(
        "tree",
        t("What serves what"),
        chart,
        edges.drop(columns=["edge_id", "ledger_id"]),
        " ".join(
            [t("Of each stage the four indicators that predict it best. All edges are in the export."), unfiltered]
        ),
    )


def _trend(published: Published, chosen: Filters, ledger: pd.DataFrame) -> None:
    if not published.has("indicator_trends") or ledger.empty:
        return
    indicator = choice("indicator", t("Indicator"), ledger["indicator"].tolist(), ledger.iloc[0]["indicator"])
    asked = ledger[ledger["indicator"] == indicator].iloc[0]
    # kept by segment over all teams, by team over all segments, and by owner
    team = chosen.team if not chosen.segment else None
    rows = published.query(
        """
        select week_start_date as at, n, value, value_low as low, value_high as high, usual_low, usual_high, usual_value
        from indicator_trends
        where indicator = $indicator and owner_id = '(all)' and team = coalesce($only, '(all)')
            and segment = coalesce($segment, '(all)') and week_start_date >= $since
        order by week_start_date
        """,
        **chosen.values,
        indicator=indicator,
        only=team,
    )
    tips = [
        alt.Tooltip("at:T", title=" ", format="%e %b %Y"),
        alt.Tooltip("value:Q", format=".2f", title=t("Value")),
        alt.Tooltip("usual_low:Q", format=".2f", title=t("usual from")),
        alt.Tooltip("usual_high:Q", format=".2f", title=t("usual to")),
        alt.Tooltip("n:Q", format=",.0f", title="n"),
    ]
    unit = str(asked["unit"] or "")
    ui.figure(
        "indicator_trend",
        f"{label(indicator)}, {t('by week')}",
        charts.trend(rows, unit, form=",.2~f", reference=("usual_low", "usual_high"), tooltip=tips),
        rows,
        " ".join(
            [
                f"{asked['question'] or ''}",
                t("Blue: the mean and its 90% interval. Grey: where nine in ten weeks of the year before lie."),
                chosen.except_for("pipeline", *(["team"] if chosen.segment else [])),
            ]
        ),
        t("No week of it is known in this period."),
    )


def _notable(published: Published, chosen: Filters) -> pd.DataFrame:
    """What stands out, of what the reader looks at: the headline counts what the table lists."""
    return published.query(
        """
        select integrity.signal, integrity.scope, integrity.team, users.user_name as owner, integrity.note,
            integrity.since_date, integrity.records, integrity.observed, integrity.usual, integrity.evidence
        from indicator_integrity as integrity
        left join dim_users as users on integrity.owner_id = users.user_id
        where integrity.is_notable and ($team is null or integrity.team in ($team, '(all)'))
        order by integrity.since_date desc nulls last, integrity.deviation desc
        """,
        **chosen.values,
    )


def _integrity(published: Published, chosen: Filters) -> None:
    if not published.has("indicator_integrity"):
        return
    rows = _notable(published, chosen)
    looked = published.first("select count(*) as n from indicator_integrity")["n"]
    heads = st.column_config
    ui.table(
        "integrity",
        t("Are the figures made by the work they stand for?"),
        rows.assign(signal=labels(rows["signal"]), scope=labels(rows["scope"]), team=labels(rows["team"])),
        {
            "signal": t("Signal"),
            "team": t("Team"),
            "owner": t("Owner"),
            "note": heads.TextColumn(t("What is to be seen"), width="large"),
            "since_date": heads.DateColumn(t("Since"), format="YYYY-MM-DD"),
            "records": t("Records"),
            "evidence": t("Records to open"),
        },
        note=" ".join(
            [
                t("Something to look at, never guilt. {n} were looked at.", n=number(looked)),
                chosen.except_for("pipeline", "segment"),
            ]
        ),
        why=t("Nothing stands out; {n} were looked at.", n=number(looked)),
    )


def _table(ledger: pd.DataFrame) -> None:
    shown = ledger[
        [
            "name",
            "question",
            "said",
            "verdict_reason",
            "influence",
            "ended_deals",
            "won_deals",
            "odds_ratio",
            "auc_stratified",
            "days_before_outcome",
            "ended_deals_missing",
        ]
    ]
    heads = st.column_config
    ui.table(
        "ledger_table",
        t("The ledger"),
        shown.assign(said=labels(shown["said"]), influence=labels(shown["influence"])),
        {
            "name": t("Indicator"),
            "question": heads.TextColumn(t("Question"), width="medium"),
            "said": t("Verdict"),
            "verdict_reason": heads.TextColumn(t("Why"), width="medium"),
            "influence": t("Who moves it"),
            "ended_deals": t("Ended deals"),
            "won_deals": t("Won"),
            "odds_ratio": heads.NumberColumn(t("odds ratio"), format="%.2f"),
            "auc_stratified": heads.NumberColumn("AUC", format="%.3f"),
            "days_before_outcome": t("Days before the outcome"),
            "ended_deals_missing": t("Deals still missing"),
        },
    )


def _quality(published: Published) -> None:
    if not published.has("model_quality"):
        return
    rows = published.query(
        """
        select tested_on, outcome, model, n, events, auc, calibration_slope, predicted_over_actual
        from model_quality order by tested_on desc, outcome, model
        """
    )
    heads = st.column_config
    ui.table(
        "quality_of_chances",
        t("How well the chances have been told"),
        rows.assign(outcome=labels(rows["outcome"]), model=labels(rows["model"])),
        {
            "tested_on": t("Told on"),
            "outcome": t("Outcome"),
            "model": t("By"),
            "n": t("Deals"),
            "events": t("Of them, it happened to"),
            "auc": heads.NumberColumn("AUC", format="%.3f"),
            "calibration_slope": heads.NumberColumn(t("Slope"), format="%.2f"),
            "predicted_over_actual": heads.NumberColumn(t("Expected over happened"), format="%.2f"),
        },
        note=t("What was said on an earlier day against what became of the deals since."),
        why=t("No day is long enough ago to tell."),
    )


page(*ui.here())
