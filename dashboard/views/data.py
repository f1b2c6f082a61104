"""Data: what the figures rest on: what the CRM tells, what landed, what was set aside, what the charts cannot see."""

import pandas as pd
import streamlit as st

from dashboard import charts, ui
from dashboard.filters import Filters, write_address
from dashboard.published import Published
from dashboard.ui import Card
from dashboard.words import clock, labels, number, t, texts


def page(published: Published, chosen: Filters) -> None:
    write_address()
    files, refused, rows, aside = _landed(published)
    if refused:
        text, bad = t("Files refused: {n}", n=number(refused)), True
    elif aside:
        text, bad = t("{n} of {total} rows were set aside", n=number(aside), total=number(rows)), False
    elif rows:
        text, bad = t("All {n} rows landed; none was set aside", n=number(rows)), False
    else:
        text, bad = t("Nothing has landed yet"), False
    ui.headline(
        t("Data"),
        text,
        t(
            "Publication {id}, made of what was known at {as_of}.",
            id=published.publication_id,
            as_of=clock(published.as_of),
        ),
        bad=bad,
    )
    ui.cards(
        [
            Card(
                t("Checks passed before publication"),
                number(published.checks_passed),
                t("none failed, or it would not be shown"),
            ),
            Card(t("Files"), number(files), t("{n} refused", n=number(refused))),
            Card(t("Rows in files"), number(rows), t("{n} set aside", n=number(aside)), "bad" if aside else "good"),
            Card(
                t("Published tables"),
                number(len(published.rows)),
                t("{n} rows in all", n=number(sum(published.rows.values()))),
            ),
        ]
    )
    _capabilities(published)
    _rejects(published)
    _files(published)
    _visibility(published)
    _queue(published, chosen)
    _tables(published)


def _landed(published: Published) -> tuple[int, int, int, int]:
    """Files, those refused, rows in them, rows set aside: of all files, however many the table below shows."""
    if not published.has("landing_files"):
        return 0, 0, 0, 0
    landed = published.first(
        """
        select count(*) as files, count(*) filter (where status = 'refused') as refused,
            -- a file that came again has no rows of its own
            coalesce(sum(rows_in_file) filter (where status <> 'repeated'), 0) as "rows",
            coalesce(sum(rows_set_aside), 0) as aside
        from landing_files
        """
    )
    return tuple(int(landed[name]) for name in ("files", "refused", "rows", "aside"))


def _capabilities(published: Published) -> None:
    if not published.has("crm_capabilities"):
        ui.not_published("crm_capabilities")
        return
    rows = published.query(
        "select crm, meaning, is_given, reason, cast(log_began_at as date) as log_began_on from "
        "crm_capabilities order by is_given, crm, meaning"
    )
    missing = int((~rows["is_given"].astype(bool)).sum()) if len(rows) else 0
    ui.table(
        "capabilities",
        t("What the CRM tells"),
        rows.assign(
            meaning=texts(rows["meaning"]), is_given=[t("yes") if given else t("no") for given in rows["is_given"]]
        ),
        {
            "crm": "CRM",
            "meaning": st.column_config.TextColumn(t("Fact"), width="large"),
            "is_given": t("Given"),
            "reason": st.column_config.TextColumn(t("Why not"), width="large") if missing else None,
            "log_began_on": st.column_config.DateColumn(t("Log began"), format="YYYY-MM-DD")
            if rows["log_began_on"].notna().any()
            else None,
        },
        note=t(
            "Facts not given: {n}. Figures that need them are not measurable, and not shown as zero.", n=number(missing)
        ),
        why=t("No CRM has delivered anything yet."),
    )


def _rejects(published: Published) -> None:
    if not published.has("landing_rejects"):
        return
    found = ui.listed(
        published,
        """
        select path, column_name, reason, count(*) as rows, min(line) as first_line, arg_min(value, line) as example
        from landing_rejects group by all order by rows desc, path, column_name, reason
        """,
    )
    ui.table(
        "rejects",
        t("Rows set aside, and why"),
        found.frame,
        {
            "path": st.column_config.TextColumn(t("File"), width="medium"),
            "column_name": t("Column"),
            "reason": st.column_config.TextColumn(t("Why"), width="large"),
            "rows": t("Rows"),
            "first_line": t("First line"),
            "example": t("Example"),
        },
        note=f"{found.said} {t('Mend the contract or the file, then: inflight retry.')}".strip(),
        full=found.full,
        why=t("None: every row of every file landed."),
    )


def _files(published: Published) -> None:
    if not published.has("landing_files"):
        return
    found = ui.listed(
        published,
        """
        select crm, entity, path, status, reason, rows_in_file, rows_landed, rows_set_aside, rows_repeated,
            columns_that_may_be_renamed, extracted_at
        from landing_files order by extracted_at desc, crm, entity, path
        """,
    )
    ui.table(
        "files",
        t("Files"),
        found.frame.assign(status=labels(found.frame["status"])),
        {
            "crm": "CRM",
            "entity": t("Entity"),
            "path": st.column_config.TextColumn(t("File"), width="medium"),
            "status": t("Status"),
            "reason": t("Why"),
            "rows_in_file": t("Rows in files"),
            "rows_landed": t("Landed"),
            "rows_set_aside": t("Set aside"),
            "rows_repeated": t("Repeated"),
            "columns_that_may_be_renamed": t("May be renamed"),
            "extracted_at": st.column_config.DatetimeColumn(t("Extracted"), format="YYYY-MM-DD HH:mm"),
        },
        note=found.said,
        full=found.full,
        why=t("Nothing has landed yet"),
    )


def _visibility(published: Published) -> None:
    if not published.has("funnel_visibility"):
        return
    rows = published.query(
        """
        select signal, count(*) as total, count(*) filter (where status = 'blind') as blind,
            median(weeks_to_see) as weeks
        from funnel_visibility where percent_worse = 50 and signal is not null
        group by signal order by signal
        """
    )
    frame = rows.assign(
        name=labels(rows["signal"]),
        value=rows["weeks"],
        n_text=[
            t("{n} watched, {blind} blind", n=number(row.total - row.blind), blind=number(row.blind))
            for row in rows.itertuples()
        ],
    ).dropna(subset=["value"])
    ui.figure(
        "visibility",
        t("How soon a fault would be seen"),
        charts.bars(frame, t("weeks until an alert, where odds get worse by half"), form=",.0f"),
        frame,
        t("Median over what is watched. Blind: so little happens there that silence means nothing."),
        t("The charts still learn what is usual."),
    )


def _queue(published: Published, chosen: Filters) -> None:
    if not published.has("review_queue"):
        return
    found = ui.listed(
        published,
        """
        select deal_id, deal_name, segment, team, what_to_decide, reasons, cast(amount as double) as amount,
            currency, age_days
        from review_queue
        where status = 'open' and ($segment is null or segment = $segment) and ($team is null or team = $team)
        order by amount desc nulls last, deal_id
        """,
        **chosen.values,
    )
    ui.table(
        "review_queue",
        t("Odd deals that a person decides on"),
        found.frame.assign(segment=labels(found.frame["segment"])),
        {
            "deal_name": t("Deal"),
            "segment": t("Segment"),
            "team": t("Team"),
            "what_to_decide": t("To decide"),
            "reasons": st.column_config.TextColumn(t("Why"), width="large"),
            "amount": st.column_config.NumberColumn(t("Amount"), format="localized"),
            "currency": t("Currency"),
            "age_days": t("Days open"),
        },
        note=" ".join([found.said, t("Decide with: inflight review decide."), chosen.except_for("pipeline")]).strip(),
        full=found.full,
        why=t("Nothing awaits a decision."),
        opens_deals=True,
    )


def _tables(published: Published) -> None:
    described = published.query("select table_name, comment from duckdb_tables() where schema_name = 'main'")
    comments = dict(zip(described["table_name"], described["comment"], strict=True))
    frame = pd.DataFrame(
        [(name, rows, str(comments.get(name) or "").strip()) for name, rows in published.rows.items()],
        columns=["table_name", "row_count", "comment"],
    )
    ui.table(
        "tables",
        t("Published tables"),
        frame,
        {
            "table_name": t("Table"),
            "row_count": t("Rows"),
            "comment": st.column_config.TextColumn(t("What it holds"), width="large"),
        },
        note=t("Open {path} read-only in any tool that speaks DuckDB.", path="published/inflight.duckdb"),
    )


page(*ui.here())
