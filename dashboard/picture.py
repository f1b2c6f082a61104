"""A table as a picture, for a slide or a letter. A chart's own menu saves it as one; a browser has none for tables."""

from collections.abc import Mapping
from io import BytesIO
from textwrap import fill

import pandas as pd

from dashboard.charts import INK, LINE, MUTED
from dashboard.words import NOTHING, number, share, t

ROWS = 50  # more are not read from a picture
WIDTH = 44  # characters of a cell before its text goes on below


def png(frame: pd.DataFrame, columns: Mapping[str, object], heading: str, note: str = "") -> bytes:
    """The first rows as a page shows them. `columns`: column -> its head, a Streamlit column config, None where hidden.

    Texts are drawn as they stand: none of them is taken for markup.
    """
    from matplotlib.figure import Figure  # takes a second, and only whoever wants a picture waits for it

    shown = [name for name in frame.columns if columns.get(name, name) is not None]
    heads = [fill(_head(columns.get(name, name)), WIDTH) for name in shown]
    rows = [
        [_cell(value, _format(columns.get(name))) for name, value in zip(shown, row, strict=True)]
        for row in frame[shown].head(ROWS).itertuples(index=False, name=None)
    ]
    lines = [max(text.count("\n") + 1 for text in row) for row in [heads, *rows]]
    widths = [
        2 + max(len(line) for text in column for line in text.split("\n")) for column in zip(heads, *rows, strict=True)
    ]

    figure = Figure(figsize=(max(6, 0.085 * sum(widths)), 0.26 * sum(lines)), facecolor="white")
    axes = figure.subplots()
    axes.axis("off")
    drawn = axes.table(cellText=rows, colLabels=heads, cellLoc="left", edges="horizontal", bbox=(0, 0, 1, 1))
    drawn.auto_set_font_size(False)
    for (row, column), cell in drawn.get_celld().items():
        cell.set(edgecolor=LINE, height=lines[row] / sum(lines), width=widths[column] / sum(widths))
        cell.PAD = 1 / widths[column]
        aligned = "right" if pd.api.types.is_numeric_dtype(frame[shown[column]]) else "left"
        cell.get_text().set(parse_math=False, fontsize=9, color=MUTED if row == 0 else INK, ha=aligned)
    left_out = len(frame) - len(rows)
    below = f"{note} " + (t("{n} more rows are not in the picture.", n=number(left_out)) if left_out else "")
    axes.set_title(heading, loc="left", fontsize=12, fontweight="bold", color=INK, parse_math=False)
    axes.text(0, -0.02, fill(below, 150), va="top", fontsize=8, color=MUTED, transform=axes.transAxes, parse_math=False)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=160, bbox_inches="tight", pad_inches=0.25)
    return picture.getvalue()


def _head(config: object) -> str:
    return str(config["label"]) if isinstance(config, Mapping) else str(config)


def _format(config: object) -> str:
    """How Streamlit is told to write a number or a day."""
    return str((config.get("type_config") or {}).get("format") or "") if isinstance(config, Mapping) else ""


def _cell(value: object, form: str) -> str:
    if isinstance(value, str):
        return fill(value, WIDTH)
    if value is None or pd.isna(value):
        return NOTHING
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%d %H:%M" if "HH" in form else "%Y-%m-%d")
    if form == "percent":
        return share(value)
    places = int(form[2]) if form.startswith("%.") else 0 if float(value).is_integer() else 2
    return number(value, places)
