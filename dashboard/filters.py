"""What the reader looks at: pipeline, segment, team, period, language, and what is chosen on a page.

It is kept in the address, so that a link shows it and the browser's way back leads back: an address that this tab did
not write itself is taken over, and what is chosen is written into it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import streamlit as st

from dashboard.published import Published
from dashboard.words import LANGUAGES, label, language, plain, t

EVERY = ""
PERIODS = {"3m": 3, "6m": 6, "12m": 12, "24m": 24, "all": None}
PERIOD_WORDS = {
    "3m": "3 months",
    "6m": "6 months",
    "12m": "12 months",
    "24m": "24 months",
    "all": "all there is",
}
DEFAULTS = {"lang": "en", "pipeline": EVERY, "segment": EVERY, "team": EVERY, "period": "12m"}
# Which list of deals stands below each of the alerts that Today shows.
BEHIND_ALERTS = ("behind", "behind_2", "behind_3", "behind_4", "behind_5")
# Chosen on a page, and part of what a link shows.
ON_PAGES = (
    *("deal", "find", "span"),
    *BEHIND_ALERTS,
    *("stage", "month", "age", "outcome"),
    *("cause", "landmark"),
    *("step", "card_period"),
    *("indicator",),
    *("mix_by", "quality", "quality_age", "channel"),
)
HELD = """
select distinct 'pipeline' as filter, pipeline as value from dim_deals where pipeline is not null
union all select distinct 'segment', segment from dim_deals where segment is not null
union all select distinct 'team', team from dim_deals where team is not null
order by filter, value
"""


@dataclass(frozen=True)
class Filters:
    pipeline: str | None
    segment: str | None
    team: str | None
    since: date
    until: date

    @property
    def values(self) -> dict[str, str | date | None]:
        """To be bound: a null filter lets all pass."""
        return {
            "pipeline": self.pipeline,
            "segment": self.segment,
            "team": self.team,
            "since": self.since,
            "until": self.until,
        }

    def except_for(self, *unknown: str) -> str:
        """Which of the chosen filters a figure cannot follow, in words; empty where it follows all."""
        chosen = [(name, getattr(self, name)) for name in unknown if getattr(self, name)]
        said = ", ".join(f"{t(name)} {label(value)}" for name, value in chosen)
        return t("Not narrowed to {filters}: the table does not tell them apart.", filters=said) if said else ""


def month_back(day: date, months: int) -> date:
    """First day of the month `months` before that of `day`."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def read_address() -> None:
    """Take over an address that is new to this tab: opened, or gone back to."""
    said = st.query_params.to_dict()
    if "deal" in said and "_left" in st.session_state and not (st.context.url or "").endswith("/deals"):
        # On the way to a deal the browser notes it at the page that was left: going back leads to what stood there.
        said = st.session_state["_left"]
        st.query_params.from_dict(said)
    if st.session_state.get("_address") == said:
        return
    st.session_state["_address"] = said
    for name, default in DEFAULTS.items():
        st.session_state[name] = said.get(name, default)
    for name in ON_PAGES:
        st.session_state.pop(name, None)
        if name in said:
            st.session_state[name] = said[name]
    if st.session_state["lang"] not in LANGUAGES:
        st.session_state["lang"] = DEFAULTS["lang"]
    if st.session_state["period"] not in PERIODS:
        st.session_state["period"] = DEFAULTS["period"]


def address(*on_page: str) -> dict[str, str]:
    """What is chosen, as an address says it: the filters, and what the page at hand adds."""
    values = {name: st.session_state.get(name) for name in (*DEFAULTS, *on_page)}
    return {name: value for name, value in values.items() if value and value != DEFAULTS.get(name)}


def write_address(*on_page: str) -> None:
    """Write what is chosen into the address, where it does not say so yet."""
    wanted = address(*on_page)
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state["_address"] = wanted


def choose(published: Published) -> Filters:
    """The filters, in the sidebar. What the address asks for and the publication does not hold is said and dropped."""
    held = published.query(HELD) if published.has("dim_deals") else None
    for name in ("pipeline", "segment", "team"):
        options = [] if held is None else held.loc[held["filter"] == name, "value"].tolist()
        asked = st.session_state.get(name, EVERY)
        if asked not in (EVERY, *options):
            st.session_state[name] = EVERY
            st.toast(plain(t("There is no {filter} {value} here.", filter=t(name), value=asked)))
        if name == "pipeline" and len(options) < 2:
            continue
        choice(name, t(name.capitalize()), [EVERY, *options], EVERY, lambda value: label(value) if value else t("all"))
    choice("period", t("Period"), list(PERIODS), DEFAULTS["period"], lambda period: t(PERIOD_WORDS[period]))
    choice("lang", t("Language"), list(LANGUAGES), DEFAULTS["lang"], LANGUAGES.get, pills=True)
    months = PERIODS[st.session_state["period"]]
    day = published.as_of_day
    since = date(1900, 1, 1) if months is None else month_back(day, months - 1)
    return Filters(*(st.session_state.get(name) or None for name in ("pipeline", "segment", "team")), since, day)


def choice(
    key: str, text: str, options: list[str], default: str, names: Callable[[str], str] = label, pills: bool = False
) -> str | None:
    """A choice on a page; what the address asked for stands, if it is there."""
    if not options:
        st.session_state.pop(key, None)
        return None
    if st.session_state.get(key) not in options:
        st.session_state[key] = default if default in options else options[0]
    # A widget that is not on the page shown forgets its value: keep it under its own name. And one in another language
    # is another widget: a browser says what it shows, which would not be among the options any more.
    widget_key = f"_{key}_{language()}"
    st.session_state[widget_key] = st.session_state[key]

    def keep() -> None:
        if st.session_state[widget_key] is not None:
            st.session_state[key] = st.session_state[widget_key]

    widget = st.segmented_control if pills else st.selectbox
    widget(plain(text), options, key=widget_key, format_func=lambda code: plain(names(code)), on_change=keep)
    return st.session_state[key]
