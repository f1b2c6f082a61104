"""Deals: which need an act now, and the life of any one of them."""

from math import exp

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import charts, ui
from dashboard.export import csv
from dashboard.filters import Filters, write_address
from dashboard.published import Published
from dashboard.sentences import COMPARED, autopsy, need, turned
from dashboard.ui import Card
from dashboard.words import day, days, interval, label, labels, money, number, plain, share, t

# Colour and shape of a step: who sees no red from green sees the shape.
STEP_MARKS = {
    "done": (charts.GOOD, "circle"),
    "done_late": (charts.AMBER, "diamond"),
    "overdue": (charts.BAD, "triangle-up"),
    "missed": (charts.PURPLE, "cross"),
    "skipped": (charts.FAINT, "square"),
    "not_yet_due": (charts.MAIN, "triangle-right"),
    "lost": (charts.INK, "triangle-down"),
}


REASONS = 12  # parts of a chance that are drawn one by one


def page(published: Published, chosen: Filters) -> None:
    write_address("deal", "find")
    if not published.has("dim_deals", "fct_deals"):
        ui.headline(t("Deals"), t("Deals are not in this publication"))
        return
    deal_id = st.session_state.get("deal")
    if deal_id:
        deal = _deal(published, deal_id)
        if deal:
            _one(published, deal)
            return
        st.session_state.pop("deal")
        st.toast(plain(t("There is no deal {deal} here.", deal=deal_id)))
    _all(published, chosen)


def _all(published: Published, chosen: Filters) -> None:
    top = st.container()
    _find(published, chosen)
    if published.has("deals_needing_attention"):
        _attention(published, chosen, top)
        return
    n = published.first(
        """
        select count(*) as n from dim_deals
        where status = 'open' and ($pipeline is null or pipeline = $pipeline)
            and ($segment is null or segment = $segment) and ($team is null or team = $team)
        """,
        **chosen.values,
    )["n"]
    with top:
        ui.headline(
            t("Deals"),
            t("{n} deals are open", n=number(n)),
            t("Which need an act is not in this publication: below are those with most figures beyond what is good."),
        )
    _worrying(published, chosen)


def _attention(published: Published, chosen: Filters, top: DeltaGenerator) -> None:
    where = """
        from deals_needing_attention as needing
        inner join dim_deals as deals on needing.deal_id = deals.deal_id
        left join dim_users as users on needing.owner_id = users.user_id
        where ($pipeline is null or deals.pipeline = $pipeline)
            and ($segment is null or needing.segment = $segment) and ($team is null or needing.team = $team)
    """
    total = published.first(
        f"""
        select
            sum(cast(needing.amount_at_risk as double)) as amount,
            count(distinct deals.currency) as currencies, min(deals.currency) as currency
        {where}
        """,
        **chosen.values,
    )
    listing = f"""
        select
            needing.deal_id, needing.rank_overall, needing.rank_by_risk, needing.deal_name,
            needing.next_act, needing.next_act_status, needing.due_on,
            cast(needing.amount as double) as amount, deals.currency,
            round(needing.p_win_90d, 2) as p_win_90d, round(needing.p_lost_30d, 2) as p_lost_30d,
            round(cast(needing.amount_saved_by_acting as double)) as amount_saved_by_acting, needing.sentence,
            {", ".join(f"needing.{column}" for column in COMPARED)},
            users.user_name as owner, needing.team, needing.segment
        {where} order by needing.rank_overall
        """
    listed = ui.listed(published, listing, **chosen.values)
    rows, n = listed.frame, listed.count
    if n == 0:
        with top:
            ui.headline(t("Deals"), t("No open deal waits for an act"))
        return
    first = rows.iloc[0]
    at_risk = money(total["amount"], total["currency"]) if total["currencies"] == 1 else ""
    with top:
        ui.headline(
            t("Deals"),
            t("{n} deals wait for an act", n=number(n)),
            t("First: {deal}. To do: {act}.", deal=first["deal_name"], act=label(first["next_act"]))
            + (" " + t("{amount} is at risk in all of them.", amount=at_risk) if at_risk else ""),
        )
    heads = st.column_config
    shown = rows.drop(columns=COMPARED).assign(
        sentence=[need(row) for row in rows.to_dict("records")],
        segment=labels(rows["segment"]),
        next_act=labels(rows["next_act"]),
        next_act_status=labels(rows["next_act_status"]),
    )
    # what one acts on first, on a screen that ends after five columns
    ahead = [
        "deal_id",
        "rank_overall",
        "deal_name",
        "next_act",
        "due_on",
        "amount_saved_by_acting",
        "owner",
        "sentence",
    ]
    shown = shown[ahead + [column for column in shown if column not in ahead]]
    one_currency = rows["currency"].iloc[0] if rows["currency"].nunique() == 1 else None
    if one_currency:
        shown = shown.drop(columns="currency")
    in_currency = f", {one_currency}" if one_currency else ""
    ui.table(
        "attention",
        t("Deals that need an act, most to save first"),
        shown,
        {
            "rank_overall": heads.NumberColumn("#", width=50),
            "rank_by_risk": heads.NumberColumn(t("# by risk"), width="small"),
            "deal_name": heads.TextColumn(t("Deal"), width="medium"),
            "team": t("Team"),
            "owner": t("Owner"),
            "amount": heads.NumberColumn(t("Amount") + in_currency, format="localized"),
            "currency": t("Currency"),
            "p_win_90d": heads.NumberColumn(t("Win in 90 days"), format="percent"),
            "p_lost_30d": heads.NumberColumn(t("Loss in 30 days"), format="percent"),
            "amount_saved_by_acting": heads.NumberColumn(t("Saved by acting") + in_currency, format="localized"),
            "next_act": heads.TextColumn(t("Next act"), width=180),
            "next_act_status": t("Status"),
            "due_on": heads.DateColumn(t("Due"), format="YYYY-MM-DD"),
            "sentence": heads.TextColumn(t("Why"), width=300),
        },
        note=t("Deals: {n}{cut}.", n=number(n), cut=ui.cut(n)),
        full=listed.full or (lambda: csv(rows)),
        opens_deals=True,
    )


def _worrying(published: Published, chosen: Filters) -> None:
    if not published.has("indicator_values_today"):
        ui.not_published("deals_needing_attention", "indicator_values_today")
        return
    ui.deals_behind(
        published,
        "worrying",
        t("Open deals with most figures beyond what is good"),
        """
        select
            today.deal_id, count(*) filter (where not today.is_good) as not_good, count(today.is_good) as known
        from indicator_values_today as today
        inner join dim_deals as deals on today.deal_id = deals.deal_id
        where ($pipeline is null or deals.pipeline = $pipeline)
            and ($segment is null or today.segment = $segment) and ($team is null or today.team = $team)
        group by today.deal_id having count(*) filter (where not today.is_good) > 0
        """,
        chosen.values,
        {"not_good": t("Beyond what is good"), "known": t("Figures known")},
        order="behind.not_good desc,",
    )


def _find(published: Published, chosen: Filters) -> None:
    asked = st.text_input(t("Find a deal"), placeholder=t("Part of its name, or its id"), key="find").strip()
    if not asked:
        return
    ui.deals_behind(
        published,
        "found",
        t("Found: {asked}", asked=asked),
        """
        select deal_id from dim_deals
        where contains(lower(deal_name), lower($asked)) or lower(deal_id) = lower($asked)
            or lower(split_part(deal_id, ':', 2)) = lower($asked)
        """,
        {**chosen.values, "asked": asked},
    )


def _deal(published: Published, deal_id: str) -> dict:
    return published.first(
        """
        select
            deals.*, cast(deals.amount as double) as amount, accounts.account_name, users.user_name as owner,
            facts.days_to_win, facts.days_to_loss, facts.won_at, facts.lost_at, facts.last_client_contact_at,
            facts.activity_count, cast(facts.paid_amount as double) as paid_amount
        from dim_deals as deals
        left join dim_accounts as accounts on deals.account_id = accounts.account_id
        left join dim_users as users on deals.owner_id = users.user_id
        left join fct_deals as facts on deals.deal_id = facts.deal_id
        where deals.deal_id = $deal
        """,
        deal=deal_id,
    )


def _one(published: Published, deal: dict) -> None:
    if st.button(t("All deals"), icon=":material/arrow_back:", type="tertiary", key="all_deals"):
        st.session_state.pop("deal")
        st.rerun()
    risk = (
        published.first("select * from deal_risk where deal_id = $deal", deal=deal["deal_id"])
        if published.has("deal_risk")
        else {}
    )
    known = (
        part
        for part in (deal["account_name"], label(deal["segment"]), deal["team"], deal["owner"], deal["channel"])
        if pd.notna(part)
    )
    ui.headline(
        t("Deal {id}", id=deal["deal_id"]),
        str(deal["deal_name"] or deal["deal_id"]),
        " · ".join(str(part) for part in known),
    )
    shown = [
        Card(
            t("Amount"),
            money(deal["amount"], deal["currency"]),
            t("no amount in the CRM") if pd.isna(deal["amount"]) else "",
        ),
        Card(
            t("Stage"),
            str(deal["stage"]),
            label(deal["status"]),
            {"won": "good", "lost": "bad"}.get(deal["status"], ""),
        ),
        Card(t("Created"), day(deal["created_at"]), t("expected to close {day}", day=day(deal["expected_close_date"]))),
        Card(
            t("Client last heard"),
            day(deal["last_client_contact_at"]),
            t("{n} contacts in all", n=number(deal["activity_count"])),
        ),
    ]
    ui.cards(shown)
    if risk:
        _chances(risk)
    _life(published, deal)
    if deal["status"] == "open":
        _reasons(published, deal)
        _indicators(published, deal)
    _steps(published, deal)
    _changes(published, deal)
    _autopsy(published, deal)
    _turned(published, deal)


def _chances(risk: dict) -> None:
    said = {
        "p_win_90d": t("Chance to win within 90 days"),
        "p_lost_30d": t("Chance to lose within 30 days"),
        "p_win_ever": t("Chance to win at all"),
    }
    shown = [
        Card(text, share(risk[name]), interval(risk[f"{name}_low"], risk[f"{name}_high"]))
        for name, text in said.items()
    ]
    expected = risk.get("expected_days_to_close")
    ui.cards([*shown, Card(t("Expected to end in"), days(expected), t("won or lost"))])


def _life(published: Published, deal: dict) -> None:
    end = pd.Timestamp(published.as_of_day)
    visits = published.query(
        """
        select
            stages.stage, coalesce(stages.is_lost, false) as is_loss, visits.entered_at, visits.exited_at,
            visits.exit_type, visits.days_in_stage
        from fct_stage_visits as visits
        left join dim_stages as stages on visits.stage_id = stages.stage_id
        where visits.deal_id = $deal order by visits.visit_number
        """,
        deal=deal["deal_id"],
    )
    ended = [t("now") if pd.isna(at) else day(at) for at in visits["exited_at"]]
    stays = visits.assign(
        row=visits["stage"].fillna("–"),
        begins=visits["entered_at"],
        ends=visits["exited_at"].fillna(end),
        text=[
            f"{row.stage}: {day(row.entered_at)} – {left}, {days(row.days_in_stage)}, {label(row.exit_type)}"
            for row, left in zip(visits.itertuples(), ended, strict=True)
        ],
    )
    steps = (
        published.query(
            """
            select step, status, due_at, done_at, coalesce(done_at, due_at, skipped_at, ended_at) as at
            from fct_journey_steps where deal_id = $deal order by step_number
            """,
            deal=deal["deal_id"],
        )
        if published.has("fct_journey_steps")
        else pd.DataFrame(columns=["step", "status", "due_at", "done_at", "at"])
    )
    marks = steps[steps["status"].isin(list(STEP_MARKS)) & steps["at"].notna()]
    marks = marks.assign(
        row=[label(step) for step in marks["step"]],
        kind=labels(marks["status"]),
        text=[
            f"{label(row.step)}: {label(row.status)}, {t('due')} {day(row.due_at)}, {t('done')} {day(row.done_at)}"
            for row in marks.itertuples()
        ],
    )
    # a loss is a moment, whatever has been since
    losses = stays[stays["is_loss"]].assign(at=lambda rows: rows["begins"], kind=label("lost"), status="lost")
    stays = stays[~stays["is_loss"]]
    shown = ["row", "at", "kind", "status", "text"]
    marks = pd.concat([part[shown] for part in (losses, marks) if len(part)] or [marks])
    rows = list(dict.fromkeys([*stays["row"], *losses["row"], *marks["row"]]))
    drawn = {label(status): mark for status, mark in STEP_MARKS.items() if status in set(marks["status"])}
    chart = charts.life(stays, marks, rows, drawn) if rows else None
    ui.figure(
        "life",
        t("The deal's life"),
        chart,
        stays.drop(columns=["row", "is_loss"]),
        t("Bars: stays in stages. Points: key steps of the journey, at the time they were done or due."),
        t("No stay in a stage is known."),
    )


def _reasons(published: Published, deal: dict) -> None:
    if not published.has("deal_risk", "deal_risk_reasons"):
        with st.container(border=True):
            ui.title(t("Why this chance"))
            ui.not_published("deal_risk", "deal_risk_reasons")
        return
    found = published.query(
        """
        select part, value_text, contribution, sentence from deal_risk_reasons
        where deal_id = $deal and outcome = 'win_90d' order by part <> 'base', abs(contribution) desc
        """,
        deal=deal["deal_id"],
    )
    # the start, the parts that say most, and the others as one: nothing is left out of the product
    rest = found.iloc[REASONS + 1 :]
    frame = found.head(REASONS + 1).assign(
        name=lambda rows: [t("Start: what is usual here") if part == "base" else label(part) for part in rows["part"]],
        value_text=lambda rows: rows["value_text"].fillna("").where(rows["part"] != "base", ""),
    )
    if len(rest):
        others = {"part": "others", "name": t("all others ({n})", n=len(rest)), "value_text": ""}
        frame = pd.concat([frame, pd.DataFrame([{**others, "contribution": rest["contribution"].sum()}])])
    frame = frame.assign(
        value=frame["contribution"],
        kind=[
            t("the start") if row.part == "base" else t("for the win") if row.contribution > 0 else t("against it")
            for row in frame.itertuples()
        ],
        n_text=[
            " · ".join([*filter(None, [row.value_text]), f"× {number(exp(row.contribution), 2)}"])
            for row in frame.itertuples()
        ],
    )
    colors = {t("the start"): charts.FAINT, t("for the win"): charts.GOOD, t("against it"): charts.BAD}
    ui.figure(
        "reasons",
        t("Why this chance"),
        charts.bars(frame, t("odds become"), colors=colors, factors=True),
        found,
        t("Odds to win within 90 days (2 is two to one): the start, multiplied by each part."),
        t("Only open deals have a chance."),
    )


def _indicators(published: Published, deal: dict) -> None:
    if not published.has("indicator_values_today"):
        ui.not_published("indicator_values_today")
        return
    other_way = ui.OTHER_WAY if published.has("indicator_ledger") else "select null as indicator"
    found = published.query(
        f"""
        select today.indicator, today.value, today.norm, today.norm_source, today.is_good, today.not_measurable_reason,
            cast(today.since_at as date) as since, described.unit, described.question,
            today.indicator in (select indicator from ({other_way})) as is_other_way
        from indicator_values_today as today
        left join dim_indicators as described on today.indicator = described.indicator
        where today.deal_id = $deal
        order by today.is_good nulls last, today.indicator
        """,
        deal=deal["deal_id"],
    )
    shown = found.assign(
        indicator=labels(found["indicator"]),
        is_good=[
            t("not judged: with won deals it is the other way")
            if row.is_other_way and pd.isna(row.not_measurable_reason)
            else row.not_measurable_reason or t("no norm")
            if row.is_other_way or pd.isna(row.is_good)
            else t("good")
            if row.is_good
            else t("beyond what is good")
            for row in found.itertuples()
        ],
        value=[number(value, 1) for value in found["value"]],
        norm=[number(value, 1) for value in found["norm"]],
    ).drop(columns=["not_measurable_reason", "norm_source", "is_other_way"])
    ui.table(
        "deal_indicators",
        t("Leading indicators today"),
        shown,
        {
            "indicator": t("Indicator"),
            "value": t("Value"),
            "norm": t("Norm"),
            "is_good": t("Judged"),
            "since": st.column_config.DateColumn(t("Since"), format="YYYY-MM-DD"),
            "unit": t("Unit"),
        },
        why=t("Only open deals have values of today."),
    )


def _steps(published: Published, deal: dict) -> None:
    if not published.has("fct_journey_steps"):
        return
    found = published.query(
        """
        select step_number, phase, step, role, status, due_at, done_at, late_by_business_hours, not_measurable_reason
        from fct_journey_steps where deal_id = $deal order by step_number
        """,
        deal=deal["deal_id"],
    )
    heads = st.column_config
    shown = found.assign(phase=labels(found["phase"]), step=labels(found["step"]), status=labels(found["status"]))
    ui.table(
        "deal_steps",
        t("Key steps of the client's journey"),
        shown,
        {
            "phase": t("Phase"),
            "step": t("The step"),
            "role": t("Who"),
            "status": t("Status"),
            "due_at": heads.DatetimeColumn(t("Due"), format="YYYY-MM-DD HH:mm"),
            "done_at": heads.DatetimeColumn(t("Done"), format="YYYY-MM-DD HH:mm"),
            "late_by_business_hours": heads.NumberColumn(t("Late, business hours"), format="%.0f"),
            "not_measurable_reason": t("Why not measurable"),
        },
    )


def _changes(published: Published, deal: dict) -> None:
    if not published.has("fct_deal_changes"):
        return
    found = published.query(
        """
        select cast(changed_at as date) as changed_on, field, old_value, new_value, direction, is_after_closing
        from fct_deal_changes where deal_id = $deal order by changed_at desc limit 100
        """,
        deal=deal["deal_id"],
    )
    if found.empty:
        return
    ui.table(
        "deal_changes",
        t("Changes of amount, close date and owner"),
        found.assign(field=labels(found["field"]), direction=labels(found["direction"])),
        {
            "changed_on": st.column_config.DateColumn(t("Day"), format="YYYY-MM-DD"),
            "field": t("Field"),
            "old_value": t("Before"),
            "new_value": t("After"),
            "direction": t("Direction"),
        },
    )


def _autopsy(published: Published, deal: dict) -> None:
    if not published.has("loss_autopsy"):
        if deal["status"] == "lost":
            ui.not_published("loss_autopsy")
        return
    found = published.first("select * from loss_autopsy where deal_id = $deal", deal=deal["deal_id"])
    if not found:
        return
    with st.container(border=True):
        ui.title(t("Why it was lost"))
        seen = "" if pd.isna(found["first_visible_on"]) else t("visible from {day}", day=day(found["first_visible_on"]))
        ui.said(
            autopsy(found),
            [
                (t("found: {cause}", cause=label(found["found_cause"])), "bad"),
                (t("stated: {reason}", reason=label(found["stated_reason"])), ""),
                (seen, ""),
            ],
        )


def _turned(published: Published, deal: dict) -> None:
    if not published.has("loss_timeline"):
        return
    found = published.query(
        """
        select turned_on, thing, value, norm, sentence, fact_table from loss_timeline
        where deal_id = $deal order by turned_on, thing
        """,
        deal=deal["deal_id"],
    )
    if found.empty:
        return
    ui.table(
        "turned",
        t("What turned bad, and when"),
        found.assign(thing=labels(found["thing"]), sentence=[turned(row) for row in found.to_dict("records")]),
        {
            "turned_on": t("Day"),
            "thing": t("Thing"),
            "sentence": st.column_config.TextColumn(t("What happened"), width="large"),
            "fact_table": t("Table"),
        },
    )


page(*ui.here())
