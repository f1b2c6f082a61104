"""Sentences of the tables about a deal. English is what the table says; another language says the same figures anew."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.words import day, label, language, number, share, t

# columns that the sentences are made of
COMPARED = [
    "acted_within_days",
    "acted_n",
    "acted_win_rate",
    "not_acted_n",
    "not_acted_win_rate",
    "win_rate_difference",
    "difference_low",
]
AUTOPSY = [
    "found_cause_share",
    "found_cause_share_low",
    "found_cause_share_high",
    "first_visible_on",
    "is_silent_death",
    "silence_days",
    "stated_reason_kind",
    "is_reason_supported",
]

SINCE = {
    "overdue": "{act}: overdue since {day}.",
    "missing": "{act}: passed over; it was due on {day}.",
    "due_soon": "{act}: due on {day}.",
}

TURNED = {
    "decision_maker_involved": "in its last stage without anybody who decides",
    "silence_days": "the client was not heard, in the end for {n} days",
    "stage_days_past_norm": "in its stage for longer than the norm, by {n} days when it left",
    "close_date_pushes": "expected close date pushed by {n} days",
    "amount_cut": "amount cut by {n}",
    "owner_changes": "handed to another owner",
}
STEP_TURNED = "{n} days beyond its deadline"


def need(row: Mapping[str, Any]) -> str:
    """Why a deal needs an act; `row` of deals_needing_attention."""
    if language() == "en":
        return str(row["sentence"])
    status = row["next_act_status"]
    if status == "silent":
        return t("The client has been silent for longer than is usual since {day}.", day=day(row["due_on"]))
    if status == "at_risk":
        return t("No step is due, but it may be lost within 30 days: {share}.", share=share(row["p_lost_30d"]))
    said = t(SINCE[status], act=label(row["next_act"]), day=day(row["due_on"]))
    if pd.isna(row["win_rate_difference"]):
        return said + " " + t("What it is still worth is not known.")
    after = t("in time") if row["acted_within_days"] == 0 else t("{n} days late", n=number(row["acted_within_days"]))
    compared = t(
        "Of {n} deals that had it at most so late ({after}) {won} were won, of {others} that had not {others_won}.",
        n=number(row["acted_n"]),
        after=after,
        won=share(row["acted_win_rate"]),
        others=number(row["not_acted_n"]),
        others_won=share(row["not_acted_win_rate"]),
    )
    return f"{said} {compared}" + (" " + t("That may be chance.") if row["difference_low"] <= 0 else "")


def autopsy(row: Mapping[str, Any]) -> str:
    """Why a deal was lost; `row` of loss_autopsy."""
    if language() == "en":
        return str(row["sentence"])
    if row["found_cause"] == "unknown":
        found = t("Nothing that was late stands out.")
    else:
        found = t(
            "{cause}: to be seen since {day}; in time, {n} ({low} to {high}) of ten such losses would not have been.",
            cause=label(row["found_cause"]).capitalize(),
            day=day(row["first_visible_on"]),
            n=number(10 * row["found_cause_share"]),
            low=number(10 * row["found_cause_share_low"]),
            high=number(10 * row["found_cause_share_high"]),
        )
    if row["is_silent_death"]:
        return f"{found} " + t(
            "Open in the CRM; the client was last heard {n} days ago.", n=number(row["silence_days"])
        )
    if row["stated_reason_kind"] == "unknown":
        return f"{found} " + t("No reason was stated.")
    backed = row["is_reason_supported"]
    borne = "" if pd.isna(backed) else t(", the facts bear it out") if backed else t(", the facts do not bear it out")
    return f"{found} " + t("Stated: {reason}{borne}.", reason=label(row["stated_reason_kind"]), borne=borne)


def turned(row: Mapping[str, Any]) -> str:
    """What turned bad in a lost deal; `row` of loss_timeline."""
    if language() == "en":
        return str(row["sentence"])
    said = TURNED.get(row["thing"], STEP_TURNED)
    return t(said, n=number(row["value"]))
