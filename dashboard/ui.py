"""Pieces every page is made of: headline, cards, a chart or table with its export, deals behind a figure.

Texts from the CRM are data: they go through `html.escape`, never into Markdown, where a deal's name could hold a link
or a picture that a browser would fetch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import altair as alt
import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.export import csv
from dashboard.filters import Filters, address
from dashboard.picture import pictured
from dashboard.published import Published, Value
from dashboard.words import labels, language, number, plain, t

CODED = ("step_status", "found_cause", "loss_reason", "channel")  # columns of such a list that hold codes
DRAWN = ["n_text", "is_grey", "order"]  # columns that only a chart needs
SHOWN = 200  # rows of a list that a page shows; the export holds more
EXPORTED = 100_000
MIME = {"csv": "text/csv", "png": "image/png"}

STYLE = """
<style>
.block-container { padding-top: 3.4rem; max-width: 1240px; }
.if-kicker { color: #52606d; font-size: 0.95rem; margin: 0 0 0.2rem 0; }
.if-headline { color: #1b2733; font-size: 1.75rem; line-height: 1.25; font-weight: 650; margin: 0; max-width: 60rem; }
.if-headline.bad { color: #b3261e; }
.if-sub { color: #52606d; font-size: 1rem; margin: 0.5rem 0 0 0; max-width: 60rem; }
.if-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 0.8rem; }
.if-card { border: 1px solid #e4e8ec; border-radius: 10px; padding: 0.85rem 1rem; background: #ffffff; }
.if-card .label { color: #52606d; font-size: 0.88rem; }
.if-card .value { color: #1b2733; font-size: 1.55rem; font-weight: 650; line-height: 1.3; }
.if-card .note { color: #52606d; font-size: 0.85rem; }
.if-card.bad { border-left: 4px solid #b3261e; } .if-card.good { border-left: 4px solid #1f7a4d; }
.if-title { color: #1b2733; font-size: 1.08rem; font-weight: 650; margin: 0; }
.if-note { color: #52606d; font-size: 0.88rem; margin: 0.15rem 0 0 0; }
.if-said { color: #1b2733; font-size: 1.05rem; margin: 0; line-height: 1.45; }
.if-warning { color: #6b4500; background: #fdf3dc; border-radius: 8px; padding: 0.5rem 1rem; margin: 0; }
.if-warning.bad { color: #8c1d18; background: #fbe9e7; }
.if-shown { color: #52606d; font-size: 0.85rem; line-height: 1.5; margin: 0; }
.if-none { color: #52606d; background: #f4f6f8; border-radius: 8px; padding: 0.8rem 1rem; margin: 0; }
.if-chip { display: inline-block; background: #eef1f4; color: #3b4754; border-radius: 20px; padding: 0.1rem 0.65rem;
    font-size: 0.83rem; margin: 0.35rem 0.35rem 0 0; }
.if-chip.bad { background: #fbe9e7; color: #8c1d18; } .if-chip.good { background: #e5f3eb; color: #17603c; }
[class*="st-key-head_"] { flex-wrap: nowrap !important; }
/* A table's own export would hand out formulas as they stand: ours does not. */
[data-testid="stElementContainer"]:has([data-testid="stDataFrame"]) [data-testid="stElementToolbar"],
[data-testid="stElementToolbarButton"]:has([aria-label="Show data"]),
[data-testid="stElementToolbarButton"]:has([aria-label="Copy Vega-Lite spec"]) { display: none; }
</style>
"""


@dataclass(frozen=True)
class Card:
    label: str
    value: str
    note: str = ""
    tone: str = ""


def headline(page: str, text: str, sub: str = "", bad: bool = False) -> None:
    """What the page says, in one sentence."""
    st.html(
        f'<p class="if-kicker">{escape(page)}</p><h1 class="if-headline{" bad" if bad else ""}">{escape(text)}</h1>'
        + (f'<p class="if-sub">{escape(sub)}</p>' if sub else "")
    )


def cards(shown: Sequence[Card]) -> None:
    st.html(
        '<div class="if-cards">'
        + "".join(
            f'<div class="if-card {card.tone}"><div class="label">{escape(card.label)}</div>'
            f'<div class="value">{escape(card.value)}</div><div class="note">{escape(card.note)}</div></div>'
            for card in shown
        )
        + "</div>"
    )


def said(text: str, chips: Sequence[tuple[str, str]] = ()) -> None:
    """A sentence and short facts beside it, each with a tone: '', bad or good."""
    marks = "".join(f'<span class="if-chip {tone}">{escape(chip)}</span>' for chip, tone in chips if chip)
    st.html(f'<p class="if-said">{escape(text)}</p>' + (f"<div>{marks}</div>" if marks else ""))


def title(text: str, note: str = "") -> None:
    st.html(f'<h2 class="if-title">{escape(text)}</h2>' + (f'<p class="if-note">{escape(note)}</p>' if note else ""))


def note(text: str) -> None:
    st.html(f'<p class="if-note">{escape(text)}</p>')


def warning(text: str, bad: bool = False) -> None:
    """What must not be overlooked: red where somebody has to act."""
    st.html(f'<p class="if-warning{" bad" if bad else ""}" role="status">{escape(text)}</p>')


def nothing(text: str) -> None:
    """In place of a chart: why there is none. Never an empty chart, never zero."""
    st.html(f'<p class="if-none">{escape(text)}</p>')


def not_published(*tables: str) -> None:
    nothing(t("Not in this publication: {tables}. The next night publishes it.", tables=", ".join(tables)))


Export = bytes | Callable[[], bytes]


def _head(name: str, heading: str, note: str, exports: Mapping[str, Export]) -> None:
    """Title and how to read it, and at the right end what can be saved, by its ending."""
    with st.container(horizontal=True, vertical_alignment="top", key=f"head_{name}"):
        title(heading, note)
        for ending, export in exports.items():
            st.download_button(
                ending.upper(),
                export,
                f"{name}.{ending}",
                MIME[ending],
                key=f"{ending}_{name}",
                help=plain(t("Save as {kind}: {what}", kind=ending.upper(), what=heading)),
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
            )


def figure(
    name: str, heading: str, chart: alt.Chart | None, frame: pd.DataFrame, note: str = "", why: str = ""
) -> None:
    """A chart with its title, how to read it, and its figures as CSV. Without data: why."""
    with st.container(border=True, key=f"fig_{name}"):
        empty = chart is None or frame.empty
        # a picture of a chart is in its own menu
        _head(name, heading, note, {} if empty else {"csv": csv(frame.drop(columns=DRAWN, errors="ignore"))})
        if empty:
            nothing(why or t("Nothing to show for this choice."))
            return
        st.altair_chart(charts.finish(chart, language(), heading), theme=None, key=f"chart_{name}")


def table(
    name: str,
    heading: str,
    frame: pd.DataFrame,
    columns: dict[str, object],
    note: str = "",
    why: str = "",
    full: Callable[[], bytes] | None = None,
    opens_deals: bool = False,
) -> None:
    """A table with its export. `columns`: column of the frame -> its head, or a Streamlit column config."""
    with st.container(border=True, key=f"tab_{name}"):
        if frame.empty:
            _head(name, heading, note, {})
            nothing(why or t("Nothing to show for this choice."))
            return
        how = f"{note} {t('Tick a row to open the deal.')}".strip() if opens_deals else note
        _head(name, heading, how, {"csv": full or csv(frame), "png": pictured(frame, columns, heading, note).png})
        config = {column: _head_of(frame[column], columns.get(column)) for column in frame.columns}
        chosen = st.dataframe(
            frame,
            column_config=config,
            hide_index=True,
            placeholder="",
            height=min(38 + 35 * len(frame), 460),
            key=f"table_{name}",
            **({"on_select": "rerun", "selection_mode": "single-row"} if opens_deals else {}),
        )
    if opens_deals and chosen.selection.rows:
        open_deal(frame.iloc[chosen.selection.rows[0]]["deal_id"])


def _head_of(column: pd.Series, head: object) -> object:
    """A day is shown as a day, without the midnight that it has in a frame."""
    if isinstance(head, str) and pd.api.types.is_datetime64_any_dtype(column):
        return st.column_config.DateColumn(head, format="YYYY-MM-DD")
    return head


def open_deal(deal_id: str) -> None:
    st.session_state["_left"] = st.query_params.to_dict()
    st.switch_page(st.session_state["_pages"]["deals"], query_params={**address(), "deal": deal_id})


# Indicators that predict, but the other way than they are declared: of such a one nobody knows what is good.
OTHER_WAY = """
select ledger.indicator
from indicator_ledger as ledger
inner join dim_indicators as described on ledger.indicator = described.indicator
where ledger.landmark = '(all)' and ledger.segment = '(all)' and ledger.verdict = 'predicts'
    and case described.direction
        when 'higher' then ledger.odds_ratio_high < 1
        when 'lower' then ledger.odds_ratio_low > 1
    end
"""


@dataclass(frozen=True)
class Listed:
    """The first rows of a list, how many there are in words, and all of them for the export."""

    frame: pd.DataFrame
    count: int
    full: Callable[[], bytes] | None

    @property
    def said(self) -> str:
        return t("Rows: {n}{cut}.", n=number(self.count), cut=cut(self.count)) if self.full else ""


def cut(count: int) -> str:
    """That a page shows less of a list than there is, where it does."""
    return t("; the first {n} are shown, the export has all", n=number(SHOWN)) if count > SHOWN else ""


def listed(published: Published, sql: str, **values: Value) -> Listed:
    """A list that may be longer than a page: never cut without a word. `sql` is ordered and has no limit."""
    frame = published.query(f"{sql} limit {SHOWN}", **values)
    if len(frame) < SHOWN:
        return Listed(frame, len(frame), None)
    count = int(published.first(f"select count(*) as n from ({sql})", **values)["n"])
    return Listed(frame, count, lambda: csv(published.fresh(f"{sql} limit {EXPORTED}", **values)))


DEALS = """
select listed.* exclude (place) {spelled}
from (
    select
        deals.deal_id, deals.deal_name, cast(deals.amount as double) as amount, deals.currency {more}, deals.stage,
        deals.status, deals.segment, deals.team, users.user_name as owner, cast(deals.created_at as date) as created_on,
        count(*) over () as all_of_them,
        row_number() over (order by {order} deals.amount desc nulls last, deals.deal_id) as place
    from ({behind}) as behind
    inner join dim_deals as deals on behind.deal_id = deals.deal_id
    left join dim_users as users on deals.owner_id = users.user_id
    order by place
    limit {limit}
) as listed
order by listed.place
"""


def deals_behind(
    published: Published,
    name: str,
    heading: str,
    behind: str,
    values: dict[str, Value],
    more: dict[str, object] | None = None,
    order: str = "",
    note: str = "",
    told: Callable[[Mapping[str, object]], str] | None = None,
    spelled: Mapping[str, str] | None = None,
) -> None:
    """The deals behind a figure; `behind` is a query with a deal_id a row and no deal twice.

    `more`: further columns, with their heads, None where they are not shown: those of `behind`, and those `spelled`
    for listed deals alone, as text of thousands costs seconds: a scalar query each, of `listed.deal_id`. `told` says a
    row's sentence in the reader's language. The count is of all; the page shows the largest amounts.
    """
    late = spelled or {}
    texts = ", ".join(f"({query}) as {column}" for column, query in late.items())
    words = f"replace ({texts})" if texts else ""
    extra = "".join(f", {'null' if name in late else f'behind.{name}'} as {name}" for name in more or {})

    def sql(limit: int) -> str:
        return DEALS.format(behind=behind, more=extra, order=order, limit=limit, spelled=words)

    def everything() -> bytes:
        return csv(published.fresh(sql(EXPORTED), **values).drop(columns="all_of_them"))

    shown = published.query(sql(SHOWN), **values)
    count = int(shown["all_of_them"].iloc[0]) if len(shown) else 0
    if told:
        shown = shown.assign(sentence=[told(row) for row in shown.to_dict("records")])
    codes = [name for name in ("segment", "status", *CODED) if name in shown]
    shown = shown.drop(columns="all_of_them").assign(**{name: labels(shown[name]) for name in codes})
    said_n = t("Deals: {n}", n=number(count)) + cut(count)
    table(
        name,
        heading,
        shown,
        {**DEAL_HEADS(), **(more or {})},
        note=f"{said_n}. {note}".strip(),
        full=everything if count > SHOWN else None,
        opens_deals=True,
    )


def DEAL_HEADS() -> dict[str, object]:
    heads = st.column_config
    return {
        "deal_id": None,
        "deal_name": heads.TextColumn(t("Deal"), width="medium"),
        "segment": t("Segment"),
        "team": t("Team"),
        "owner": t("Owner"),
        "stage": t("Stage"),
        "status": t("Status"),
        "amount": heads.NumberColumn(t("Amount"), format="localized"),
        "currency": t("Currency"),
        "created_on": heads.DateColumn(t("Created"), format="YYYY-MM-DD"),
    }


def stages(published: Published, pipeline: str | None, ended: bool = False) -> pd.DataFrame:
    """Stages of the dictionary in their order, with a name that tells pipelines apart where there are several."""
    found = published.query(
        """
        select stage_id, pipeline, stage, position, is_won, is_lost from dim_stages
        where ($pipeline is null or pipeline = $pipeline) and is_defined
            and ($ended or not (coalesce(is_won, false) or coalesce(is_lost, false)))
        order by pipeline, position, stage
        """,
        pipeline=pipeline,
        ended=ended,
    )
    several = found["pipeline"].nunique() > 1
    names = found["pipeline"].map(str) + " · " + found["stage"] if several else found["stage"]
    return found.assign(name=names)


def here() -> tuple[Published, Filters]:
    """What a page reads: the publication shown and what the reader chose."""
    return st.session_state["_published"], st.session_state["_filters"]


def filter_note(text: str) -> None:
    if text:
        note(text)
