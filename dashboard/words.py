"""All that the dashboard says, in English or in Russian; figures and days as the language writes them.

English is the key: `t("Open deals")`. A sentence with figures is a template, `t("{n} deals are open", n=3)`, so that
another language can put them elsewhere.
"""

import re
from datetime import date, datetime

import pandas as pd
import streamlit as st

from dashboard.russian import MONTHS, MONTHS_ALONE, RUSSIAN

LANGUAGES = {"en": "English", "ru": "Русский"}
NOTHING = "–"
SPACE = "\u00a0"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "RUB": "₽", "JPY": "¥", "KZT": "₸", "UAH": "₴"}

# Codes in the tables, as people say them. A code that is not here is a company's own word: shown as it is.
CODES = {
    "(all)": "all",
    "loss_rate": "Losses",
    "lead_quality": "Lead quality",
    "task_timeliness": "Key steps in time",
    "stage_speed": "Speed of a stage",
    "inbound_mix": "Who comes in",
    "inbound_volume": "How many come in",
    "activity_integrity": "Answers to what we send",
    "data_quality": "Gaps in what is recorded",
    "advanced": "advanced",
    "lost": "lost",
    "moved_back": "moved back",
    "handed_off": "handed off",
    "still_there": "still there",
    "won": "won",
    "open": "open",
    "done": "done in time",
    "done_late": "done late",
    "skipped": "skipped",
    "missed": "missed",
    "cancelled": "no longer needed",
    "not_measurable": "not measurable",
    "not_yet_due": "not due yet",
    "overdue": "overdue",
    "missing": "missing",
    "due_soon": "due soon",
    "silent": "client silent",
    "at_risk": "likely to be lost",
    "Get in touch with the client": "Get in touch with the client",
    "Ask the client where the deal stands": "Ask the client where the deal stands",
    "predicts": "predicts",
    "predicts, the other way than declared": "predicts, the other way than declared",
    "no evidence": "no evidence",
    "too few deals": "too few deals",
    "leaks": "leaks",
    "gamed": "gamed",
    "input": "we move it",
    "output": "the client shows it",
    "first_use": "First use",
    "first_revenue": "First payment",
    "answers_per_act": "Answers per act",
    "back_dated_acts": "Acts entered later",
    "acts_in_one_go": "Acts entered in one go",
    "back_dated_tasks": "Tasks closed later",
    "tasks_in_one_go": "Tasks closed in one go",
    "win_90d": "won within 90 days",
    "lost_30d": "lost within 30 days",
    "win_ever": "won in the end",
    "late_proposal_silence": "silence after a late proposal",
    "late_proposal": "a late proposal",
    "silence": "silence",
    "no_decision_maker": "no decision maker",
    "legal_stalled": "stuck with legal",
    "step_missed": "a key step missed",
    "unknown": "unknown",
    "competitor": "a competitor",
    "price": "the price",
    "budget": "the budget",
    "timing": "the time",
    "fit": "the fit",
    "legal": "terms of the contract",
    "no_decision": "no decision",
    "other": "something else",
    "landed": "landed",
    "repeated": "repeated",
    "refused": "refused",
    "ignored": "ignored",
    "watching": "watching",
    "blind": "blind",
    "learning": "learning",
    "days_30": "30 days",
    "days_60": "60 days",
    "days_90": "90 days",
    "quarter_end": "to the quarter's end",
    # indicators, as dim_indicators names them
    "first_response_days": "wait for our first word",
    "proposal_days_past_due": "delay of the proposal",
    "repeat_contact_done": "repeat contact after the proposal",
    "feedback_received": "feedback of the client",
    "tasks_on_time": "key tasks done on time",
    "tasks_overdue": "key tasks overdue",
    "next_step_planned": "next step with a date",
    "silence_days": "silence of the client",
    "touches_14_days": "our contacts in the last 14 days",
    "replies_14_days": "the client's contacts in the last 14 days",
    "meetings_held": "meetings held",
    "decision_maker_involved": "decision maker on the deal",
    "contacts_on_deal": "people of the client on the deal",
    "card_completeness": "required fields filled",
    "stage_days_past_norm": "stay in the stage",
    "days_in_stage": "days in the stage",
    "moves_back": "moves back to an earlier stage",
    "close_date_pushes": "times the close date was put off",
    "close_date_days_pushed": "delay of the close date",
    "amount_cut": "cut of the amount",
    "owner_changes": "hand-overs to another owner",
    "documents_late": "late steps of the documents",
    "legal_days": "time with legal",
    "discount_asked": "discount asked for",
    "owner_load": "open deals of the owner",
    "odd_day_edits": "edits at weekends or on a month's last day",
}


def language() -> str:
    return st.session_state.get("lang", "en")


def t(text: str, **figures: object) -> str:
    """`text` in the reader's language, with its figures."""
    said = RUSSIAN.get(text, text) if language() == "ru" else text
    return said.format(**figures) if figures else said


def label(code: object) -> str:
    """A code of the tables in words."""
    if _is_missing(code):
        return NOTHING
    known = CODES.get(str(code))
    return t(known) if known else str(code).replace("_", " ")


def texts(sentences: pd.Series) -> pd.Series:
    """Sentences of the tables that are always the same ones, in the reader's language; others as they stand."""
    return sentences.map(lambda text: t(text) if isinstance(text, str) else text)


def labels(codes: pd.Series) -> pd.Series:
    return codes.map(label)


def number(value: object, places: int = 0) -> str:
    if _is_missing(value):
        return NOTHING
    text = f"{float(value):,.{places}f}".replace("-", "−")
    if language() == "ru":
        text = text.replace(",", SPACE).replace(".", ",")
    return text


def share(value: object, places: int = 0) -> str:
    """A share as a percentage. What is above none or below all is not rounded to it."""
    if _is_missing(value):
        return NOTHING
    percent = float(value) * 100
    if places == 0 and (0 < percent < 0.5 or 99.5 <= percent < 100):
        places = 1
    return number(percent, places) + (SPACE if language() == "ru" else "") + "%"


def points(value: object) -> str:
    """A difference of two shares, in percentage points, signed."""
    if _is_missing(value):
        return NOTHING
    return ("+" if float(value) > 0 else "") + number(float(value) * 100, 1) + SPACE + t("pp")


def interval(low: object, high: object, show=share) -> str:
    if _is_missing(low) or _is_missing(high):
        return NOTHING
    return f"{show(low)}–{show(high)}"


def money(value: object, currency: object = None) -> str:
    """An amount to three figures: 108.6M €."""
    if _is_missing(value):
        return NOTHING
    amount, unit = float(value), ""
    for size, name in ((1e9, t("bn")), (1e6, t("M")), (1e3, t("k"))):
        if abs(amount) >= size:
            amount, unit = amount / size, name
            break
    places = 0 if not unit or abs(amount) >= 100 else 1 if abs(amount) >= 10 else 2
    code = "" if _is_missing(currency) or currency == "unknown" else SYMBOLS.get(str(currency), str(currency))
    return SPACE.join(part for part in (number(amount, places) + unit, code) if part)


def moneys(amounts: pd.DataFrame, column: str) -> str:
    """Amounts of several currencies, one after the other: they do not add up."""
    shown = amounts[amounts[column].fillna(0) != 0]
    if shown.empty:
        return money(0)
    return " + ".join(money(row[column], row["currency"]) for _, row in shown.iterrows())


def day(value: object) -> str:
    """30 Jun 2026."""
    if _is_missing(value):
        return NOTHING
    moment = pd.Timestamp(value)
    return f"{moment.day} {_month_name(moment)} {moment.year}"


def month(value: object) -> str:
    if _is_missing(value):
        return NOTHING
    moment = pd.Timestamp(value)
    return f"{MONTHS_ALONE[moment.month - 1] if language() == 'ru' else moment.strftime('%b')} {moment.year}"


def clock(value: datetime | None) -> str:
    return NOTHING if value is None else f"{day(value)}, {value:%H:%M} UTC"


def days(value: object, places: int = 0) -> str:
    return NOTHING if _is_missing(value) else t("{n} days", n=number(value, places))


def plain(text: str) -> str:
    """A text that Streamlit shows as Markdown, as it stands: names are data, and could hold a picture to be fetched."""
    return re.sub(r"([\\`*_~$:!|<>#\[\]()])", r"\\\1", text)


def _month_name(moment: date) -> str:
    return MONTHS[moment.month - 1] if language() == "ru" else moment.strftime("%b")


def _is_missing(value: object) -> bool:
    return value is None or bool(pd.isna(value))
