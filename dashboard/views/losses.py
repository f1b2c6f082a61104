"""Losses: what deals died of, what was stated, and which losses nobody can explain."""

import pandas as pd
import streamlit as st

from dashboard import charts, ui
from dashboard.filters import Filters, choice, write_address
from dashboard.published import Published
from dashboard.sentences import AUTOPSY, autopsy
from dashboard.shares import surely, with_shares
from dashboard.words import days, interval, label, labels, number, share, t

# A silent death has no day on which it was lost.
LOST = "found.lost_on >= $since and not found.is_silent_death"
SILENT = "silent"  # in place of a cause
PLACE = """
    and ($pipeline is null or deals.pipeline = $pipeline)
    and ($segment is null or deals.segment = $segment)
    and ($team is null or deals.team = $team)
"""


def page(published: Published, chosen: Filters) -> None:
    write_address("cause", "landmark")
    if not published.has("dim_deals", "fct_deals"):
        ui.headline(t("Losses"), t("Deals are not in this publication"))
        return
    stated = _stated(published, chosen)
    found = _found(published, chosen) if published.has("loss_autopsy") else None
    _headline(stated, found, 0 if found is None else _silent(published, chosen))
    left, right = st.columns(2)
    with left:
        _causes(found)
    with right:
        ui.figure(
            "stated",
            t("What was stated when they closed"),
            charts.bars(
                stated, t("share of lost deals"), colors={t("stated"): charts.MAIN, t("unknown"): charts.FAINT}
            ),
            stated,
            t("As entered in the CRM, with the 90% interval. Grey: nothing that tells."),
            t("No deal was lost in this period."),
        )
    if found is not None:
        _stated_and_found(published, chosen)
        _autopsies(published, chosen)
    _by_stage(published, chosen)
    _queue(published, chosen)
    _contrast(published, chosen)
    _behind(published, chosen)


def _stated(published: Published, chosen: Filters) -> pd.DataFrame:
    rows = published.query(
        f"""
        with reasons as (
            select
                coalesce(nullif(trim(deals.loss_reason), ''), 'unknown') as reason,
                count(*) as n
            from fct_deals as facts
            inner join dim_deals as deals on facts.deal_id = deals.deal_id
            where facts.lost_at >= $since and facts.status = 'lost' {PLACE}
            group by 1
        )

        select reason, n, sum(n) over () as total from reasons order by n desc, reason limit 15
        """,
        **chosen.values,
    )
    rows = with_shares(rows)
    return rows.assign(
        name=labels(rows["reason"]),
        kind=[t("unknown") if reason == "unknown" else t("stated") for reason in rows["reason"]],
        n_text=[f"{share(row.value)}, n = {number(row.n)}" for row in rows.itertuples()],
    )


def _found(published: Published, chosen: Filters) -> pd.DataFrame:
    """Losses of the period by their cause. Silent deaths are no losses yet: they are counted apart."""
    rows = published.query(
        f"""
        with causes as (
            select found.found_cause as cause, count(*) as n, median(found.days_visible_before_loss) as days_visible
            from loss_autopsy as found
            inner join dim_deals as deals on found.deal_id = deals.deal_id
            where {LOST} {PLACE}
            group by 1
        )

        select cause, n, sum(n) over () as total, days_visible from causes order by n desc, cause
        """,
        **chosen.values,
    )
    rows = with_shares(rows)
    return rows.assign(
        name=labels(rows["cause"]),
        kind=[t("unknown") if cause == "unknown" else t("found") for cause in rows["cause"]],
        n_text=[f"{share(row.value)}, n = {number(row.n)}" for row in rows.itertuples()],
    )


def _silent(published: Published, chosen: Filters) -> int:
    return published.first(
        f"""
        select count(*) as n from loss_autopsy as found
        inner join dim_deals as deals on found.deal_id = deals.deal_id
        where found.is_silent_death {PLACE}
        """,
        **chosen.values,
    )["n"]


def _headline(stated: pd.DataFrame, found: pd.DataFrame | None, silent: int) -> None:
    besides = t("Besides, {n} open deals look lost: their clients are silent.", n=number(silent)) if silent else ""
    if found is not None and len(found):
        known = found[found["cause"] != "unknown"]
        total, explained = found["n"].sum(), known["n"].sum()
        if len(known):
            first = known.iloc[0]
            ui.headline(
                t("Losses"),
                t(
                    "{n} of {total} losses show why; most often: {cause}",
                    n=number(explained),
                    total=number(total),
                    cause=first["name"],
                ),
                t(
                    "{cause}: {share} ({interval}) of all.",
                    cause=first["name"][:1].upper() + first["name"][1:],
                    share=share(first["value"]),
                    interval=interval(first["low"], first["high"]),
                )
                + f" {besides}",
            )
        else:
            ui.headline(
                t("Losses"),
                t("None of {n} losses can be explained by what was visible before", n=number(total)),
                besides,
            )
        return
    if stated.empty:
        ui.headline(t("Losses"), t("No deal was lost in this period"), besides)
        return
    total = stated["n"].sum()
    blank = stated.loc[stated["reason"] == "unknown", "n"].sum()
    said = stated[stated["reason"] != "unknown"]
    first = (
        t("Most often stated: {reason}, {share}.", reason=said.iloc[0]["name"], share=share(said.iloc[0]["value"]))
        if len(said)
        else ""
    )
    ui.headline(
        t("Losses"),
        t("{share} of {n} losses have no reason that tells", share=share(blank / total), n=number(total)),
        first,
    )


def _causes(found: pd.DataFrame | None) -> None:
    if found is None:
        with st.container(border=True):
            ui.title(t("What they died of"))
            ui.not_published("loss_autopsy")
        return
    ui.figure(
        "causes",
        t("What they died of"),
        charts.bars(found, t("share of losses"), colors={t("found"): charts.MAIN, t("unknown"): charts.FAINT}),
        found,
        t(
            "The first cause by what was visible and is not usual in won deals. Grey: nothing rises above what "
            "won deals show."
        ),
        t("No deal was lost in this period."),
    )


def _stated_and_found(published: Published, chosen: Filters) -> None:
    rows = published.query(
        f"""
        select coalesce(nullif(trim(found.stated_reason), ''), 'unknown') as stated, found.found_cause as cause,
            count(*) as n, count(*) filter (where found.is_reason_supported) as supported,
            count(*) filter (where found.is_reason_supported is not null) as can_be_told,
            count(*) filter (where found.is_reason_edited_after_close) as edited
        from loss_autopsy as found
        inner join dim_deals as deals on found.deal_id = deals.deal_id
        where {LOST} {PLACE}
        group by 1, 2 order by n desc, 1, 2
        """,
        **chosen.values,
    )
    ui.table(
        "stated_found",
        t("What was stated against what was found"),
        rows.assign(stated=labels(rows["stated"]), cause=labels(rows["cause"])),
        {
            "stated": t("Stated reason"),
            "cause": t("Found cause"),
            "n": t("Deals"),
            "supported": t("Borne out by the record"),
            "can_be_told": t("Where that can be told"),
            "edited": t("Edited after closing"),
        },
    )


def _autopsies(published: Published, chosen: Filters) -> None:
    causes = published.column("select distinct found_cause as cause from loss_autopsy order by 1")
    names = {"": t("all losses"), SILENT: t("open in the CRM, but silent")}
    cause = choice("cause", t("Cause"), ["", *causes, SILENT], "", lambda code: names.get(code) or label(code))
    ui.deals_behind(
        published,
        "autopsies",
        t("Autopsies"),
        f"""
        select
            found.deal_id, found.found_cause, found.lost_on, found.days_visible_before_loss, found.sentence,
            {", ".join(f"found.{column}" for column in AUTOPSY)}
        from loss_autopsy as found
        inner join dim_deals as deals on found.deal_id = deals.deal_id
        where case when $cause = '{SILENT}' then found.is_silent_death
                else {LOST} and ($cause is null or found.found_cause = $cause) end {PLACE}
        """,
        {**chosen.values, "cause": cause or None},
        {
            "found_cause": t("Found cause"),
            "lost_on": st.column_config.DateColumn(t("Lost on"), format="YYYY-MM-DD"),
            "days_visible_before_loss": t("Days visible before"),
            "sentence": st.column_config.TextColumn(t("What happened"), width="large"),
            **dict.fromkeys(AUTOPSY),
        },
        order="behind.found_cause = 'unknown',",
        told=autopsy,
    )


def _by_stage(published: Published, chosen: Filters) -> None:
    if not published.has("fct_stage_visits", "dim_stages"):
        return
    rows = published.query(
        f"""
        with ended as (
            select visits.stage_id, count(*) as total, count(*) filter (where visits.exit_type = 'lost') as n
            from fct_stage_visits as visits
            inner join dim_deals as deals on visits.deal_id = deals.deal_id
            where visits.exited_at >= $since {PLACE}
            group by 1
        )

        select stage_id, n, total from ended where total > 0
        """,
        **chosen.values,
    )
    frame = ui.stages(published, chosen.pipeline).merge(with_shares(rows), on="stage_id")
    frame = frame.assign(
        n_text=[
            t("{share}, {n} of {total}", share=share(row.value), n=number(row.n), total=number(row.total))
            for row in frame.itertuples()
        ]
    )
    ui.figure(
        "lost_by_stage",
        t("Where they were lost"),
        charts.bars(frame, t("lost, of stays that ended")),
        frame,
        t("Of the stays that ended in the period, whatever became of those still there."),
        t("No stay ended in this period."),
    )


def _queue(published: Published, chosen: Filters) -> None:
    if not published.has("loss_reason_queue"):
        with st.container(border=True):
            ui.title(t("Losses without a reason: whom to ask"))
            ui.not_published("loss_reason_queue")
        return
    ui.deals_behind(
        published,
        "loss_queue",
        t("Losses without a reason: whom to ask"),
        f"""
        select queue.deal_id, queue.rank_overall, queue.lost_on, queue.question from loss_reason_queue as queue
        inner join dim_deals as deals on queue.deal_id = deals.deal_id
        where queue.lost_on >= $since {PLACE}
        """,
        chosen.values,
        {
            "lost_on": st.column_config.DateColumn(t("Lost on"), format="YYYY-MM-DD"),
            "question": st.column_config.TextColumn(t("Question"), width="large"),
        },
        order="behind.rank_overall,",
    )


def _contrast(published: Published, chosen: Filters) -> None:
    if not published.has("win_loss_contrast"):
        with st.container(border=True):
            ui.title(t("What won deals had and lost ones had not"))
            ui.not_published("win_loss_contrast")
        return
    landmarks = published.column("select distinct landmark from win_loss_contrast")
    landmarks.sort(key=lambda landmark: int(landmark.removeprefix("age_")))
    landmark = choice("landmark", t("At the age of"), landmarks, "age_30", _age, pills=True)
    rows = published.query(
        """
        select thing, won_n, lost_n, won_share, lost_share, difference, difference_low,
            difference_high, sentence
        from win_loss_contrast
        where landmark = $landmark and segment = coalesce($segment, '(all)') and difference_low is not null
        order by contrast_rank nulls last, thing
        """,
        **chosen.values,
        landmark=landmark or "",
    )
    told = surely(rows["difference"], rows["difference"] - rows["difference_low"])
    rows = rows[told | surely(-rows["difference"], rows["difference_high"] - rows["difference"])].head(15)
    frame = rows.assign(
        name=labels(rows["thing"]),
        value=rows["difference"],
        low=rows["difference_low"],
        high=rows["difference_high"],
        n_text=[f"n = {number(row.won_n)} / {number(row.lost_n)}" for row in rows.itertuples()],
    )
    ui.figure(
        "contrast",
        t("What won deals had and lost ones had not"),
        charts.forest(frame, t("difference, won less lost"), form="+.0%", zero_line=0),
        frame,
        " ".join(
            [
                t(
                    "How much oftener it was as it should be in deals that were won. Deals open at that age; n of won "
                    "and lost. Only what is beyond chance, for so many things."
                ),
                chosen.except_for("pipeline", "team"),
            ]
        ),
        t("Nothing is told apart beyond chance."),
    )


def _age(landmark: str) -> str:
    return days(int(landmark.removeprefix("age_")))


def _behind(published: Published, chosen: Filters) -> None:
    ui.deals_behind(
        published,
        "lost_deals",
        t("All deals lost in the period"),
        f"""
        select facts.deal_id, cast(facts.lost_at as date) as lost_on, deals.loss_reason, facts.days_to_loss
        from fct_deals as facts
        inner join dim_deals as deals on facts.deal_id = deals.deal_id
        where facts.lost_at >= $since and facts.status = 'lost' {PLACE}
        """,
        chosen.values,
        {
            "lost_on": st.column_config.DateColumn(t("Lost on"), format="YYYY-MM-DD"),
            "loss_reason": t("Stated reason"),
            "days_to_loss": t("Days to the loss"),
        },
    )


page(*ui.here())
