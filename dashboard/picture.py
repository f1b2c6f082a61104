"""A table as a picture, for a slide or a letter. A chart's own menu saves it as one; a browser has none for tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from textwrap import fill

import pandas as pd

from dashboard.charts import INK, LINE, MUTED
from dashboard.words import NOTHING, number, share, t

ROWS = 50  # more are not read from a picture
FONT = 9  # points
INCHES = 18  # a page across; a wider table has its texts folded more narrowly
FOLDS = (44, 30, 20, 14)  # characters of a cell before its text goes on below
HEAD = 16  # and of a head


@dataclass(frozen=True)
class Picture:
    """A table in the reader's words: when it is drawn, on a click, nobody knows the reader any more."""

    heading: str
    note: str
    heads: list[str]
    rows: list[list[str]]
    is_figure: list[bool]  # per column

    def png(self) -> bytes:
        """Texts are drawn as they stand: none of them is taken for markup."""
        from matplotlib.figure import Figure  # takes a second, and only whoever wants a picture waits for it

        for fold in FOLDS:
            cells = [[fill(text, HEAD) for text in self.heads]]
            cells += [[fill(text, fold) for text in row] for row in self.rows]
            widths = [0.2 + max(map(_inches, column)) for column in zip(*cells, strict=True)]
            if sum(widths) < INCHES:
                break
        heights = [0.12 + 0.15 * max(text.count("\n") + 1 for text in row) for row in cells]

        figure = Figure(figsize=(max(6, sum(widths)), sum(heights)), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        drawn = axes.table(cellText=cells, cellLoc="left", edges="horizontal", bbox=(0, 0, 1, 1))
        drawn.auto_set_font_size(False)
        for (row, column), cell in drawn.get_celld().items():
            cell.set(edgecolor=LINE, height=heights[row] / sum(heights), width=widths[column] / sum(widths))
            cell.PAD = 0.1 / widths[column]
            aligned = "right" if self.is_figure[column] else "left"
            cell.get_text().set(parse_math=False, fontsize=FONT, color=MUTED if row == 0 else INK, ha=aligned)
        axes.set_title(self.heading, loc="left", fontsize=12, fontweight="bold", color=INK, parse_math=False)
        note = {"va": "top", "fontsize": 8, "color": MUTED, "parse_math": False}
        axes.annotate(fill(self.note, 150), (0, 0), (0, -6), "axes fraction", "offset points", **note)
        picture = BytesIO()
        figure.savefig(picture, format="png", dpi=160, bbox_inches="tight", pad_inches=0.25)
        return picture.getvalue()


def pictured(frame: pd.DataFrame, columns: Mapping[str, object], heading: str, note: str = "") -> Picture:
    """The first rows as a page shows them.

    `columns`: column -> its head or a Streamlit column config; a column without either is hidden, as on the page.
    """
    shown = [name for name in frame.columns if columns.get(name) is not None]
    rows = [
        [_cell(value, _format(columns[name])) for name, value in zip(shown, row, strict=True)]
        for row in frame[shown].head(ROWS).itertuples(index=False, name=None)
    ]
    left_out = len(frame) - len(rows)
    more = t("{n} more rows are not in the picture.", n=number(left_out)) if left_out else ""
    return Picture(
        heading,
        f"{note} {more}".strip(),
        [_head(columns[name]) for name in shown],
        rows,
        [pd.api.types.is_numeric_dtype(frame[name]) for name in shown],
    )


def _inches(text: str) -> float:
    """How wide the widest line of `text` is drawn."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=FONT)
    return max(text_to_path.get_text_width_height_descent(line, font, False)[0] for line in text.split("\n")) / 72


def _head(config: object) -> str:
    return str(config["label"]) if isinstance(config, Mapping) else str(config)


def _format(config: object) -> str:
    """How Streamlit is told to write a number or a day."""
    return str((config.get("type_config") or {}).get("format") or "") if isinstance(config, Mapping) else ""


def _cell(value: object, form: str) -> str:
    if isinstance(value, str):
        return value
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
