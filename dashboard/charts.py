"""Charts: one palette, intervals as bands or bars, what is too young in grey. All text comes from the caller."""

import altair as alt
import pandas as pd

from dashboard.russian import MONTHS_ALONE

INK, MUTED, FAINT, LINE = "#1b2733", "#52606d", "#8a96a3", "#e4e8ec"
MAIN, MAIN_LIGHT = "#0f5c7a", "#9cc7d8"
BAD, BAD_LIGHT, GOOD, AMBER, PURPLE = "#b3261e", "#eab4b0", "#1f7a4d", "#96600a", "#7a5195"
SERIES = [MAIN, "#c8792b", "#6b8e3d", "#7a5195", "#3a7ca5", "#a05d56", "#5b6770", "#b59a2e"]
ROW = 34  # pixels a row of a chart by name takes
FRAME = 64  # pixels of axis and legend, which count as height

RUSSIAN_NUMBERS = {"decimal": ",", "thousands": "\u00a0", "grouping": [3], "currency": ["", ""], "percent": "\u00a0%"}
RUSSIAN_TIME = {
    "dateTime": "%A, %e %B %Y, %X",
    "date": "%d.%m.%Y",
    "time": "%H:%M:%S",
    "periods": ["AM", "PM"],
    "days": ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"],
    "shortDays": ["вс", "пн", "вт", "ср", "чт", "пт", "сб"],
    "months": list(MONTHS_ALONE),
    "shortMonths": ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
}


def finish(chart: alt.Chart, language: str, description: str) -> alt.Chart:
    """House style, numbers and days as the language writes them, a text for screen readers."""
    locale = alt.Locale(number=RUSSIAN_NUMBERS, time=RUSSIAN_TIME) if language == "ru" else alt.Undefined
    axis = {"labelColor": MUTED, "titleColor": MUTED, "gridColor": LINE, "domainColor": LINE, "tickColor": LINE}
    return (
        chart.properties(background="#ffffff", description=description)
        .configure(font="Source Sans, Source Sans Pro, Arial, sans-serif", locale=locale)
        .configure_view(strokeWidth=0)
        .configure_axis(labelFontSize=13, titleFontSize=12, titleFontWeight="normal", labelLimit=260, **axis)
        .configure_legend(
            labelFontSize=13,
            titleFontSize=12,
            orient="top",
            labelColor=INK,
            titleColor=MUTED,
            labelLimit=320,
            title=None,
        )
        .configure_axisQuantitative(tickCount=5)
    )


def _scale_of(frame: pd.DataFrame, *columns: str, zero: bool = False) -> alt.Scale:
    values = frame[list(columns)].to_numpy(dtype=float)
    if zero or frame.empty or pd.isna(values).all():
        return alt.Scale(zero=zero, nice=True)
    return alt.Scale(zero=False, nice=True, padding=6)


def _beside_text(frame: pd.DataFrame, **scale: object) -> alt.Scale:
    """A scale that ends where the figures at the right end of the rows begin."""
    pixels = max(map(len, frame["n_text"]), default=0) * 6 + 16
    return alt.Scale(range=[0, alt.ExprRef(f"max(width - {pixels}, 60)")], **scale)


def _row_text(base: alt.Chart, color: str = MUTED) -> alt.Chart:
    return base.mark_text(align="right", color=color, fontSize=12).encode(x=alt.value("width"), text="n_text:N")


def solid_legend() -> alt.Legend:
    """A legend of the points, not of the pale band behind them."""
    return alt.Legend(symbolType="circle", symbolOpacity=1, symbolSize=85)


def forest(
    frame: pd.DataFrame,
    axis: str,
    form: str = ".0%",
    reference: str | None = None,
    zero_line: float | None = None,
    log: bool = False,
    colors: dict[str, str] | None = None,
    tooltip: list[alt.Tooltip] | None = None,
) -> alt.Chart:
    """A row a name: point and interval, n at the right end, a tick for what it is held against.

    Columns: name, value, low, high, n_text; optional: `reference`, kind (its colour), is_grey.
    """
    frame = frame.assign(is_grey=frame.get("is_grey", False))
    kinds = list(colors or {})
    plain = alt.value(MAIN)
    by_kind = (
        alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=list((colors or {}).values())), legend=solid_legend())
        if kinds
        else plain
    )
    color = alt.condition("datum.is_grey", alt.value(FAINT), by_kind)
    scale = (
        _beside_text(frame, type="log", nice=False, padding=10)
        if log
        else _beside_text(frame, zero=False, nice=True, padding=6)
    )
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8))
    x_axis = alt.Axis(
        format=form, title=axis, grid=True, values=[0.25, 0.5, 0.7, 1, 1.4, 2, 4] if log else alt.Undefined
    )
    base = alt.Chart(frame).encode(y=y, tooltip=tooltip or alt.Undefined)
    layers = []
    if zero_line is not None:
        rule = pd.DataFrame({"at": [zero_line]})
        layers.append(alt.Chart(rule).mark_rule(color=FAINT, strokeDash=[3, 3]).encode(x="at:Q"))
    layers.append(
        base.mark_rule(strokeWidth=5, opacity=0.35, strokeCap="round").encode(
            x=alt.X("low:Q", scale=scale, axis=x_axis), x2="high:Q", color=color
        )
    )
    if reference:
        layers.append(base.mark_tick(thickness=2, size=20, color=INK).encode(x=alt.X(f"{reference}:Q", scale=scale)))
    layers.append(base.mark_point(filled=True, size=85, opacity=1).encode(x=alt.X("value:Q", scale=scale), color=color))
    layers.append(_row_text(base))
    return alt.layer(*layers).properties(height=FRAME + ROW * len(frame), width="container")


def trend(
    frame: pd.DataFrame,
    axis: str,
    form: str = ".0%",
    time_format: str = "%b %Y",
    reference: tuple[str, str] | None = None,
    tooltip: list[alt.Tooltip] | None = None,
    height: int = 260,
) -> alt.Chart:
    """A line over months or weeks with its interval as a band; what is too young is hollow and grey.

    Columns: at, value, low, high, is_grey; `reference`: the columns of a second band, drawn grey behind.
    """
    frame = frame.assign(is_grey=frame.get("is_grey", False))
    scale = _scale_of(frame, "value", "low", "high")
    x = alt.X("at:T", title=None, axis=alt.Axis(format=time_format, tickCount="month", grid=False, labelOverlap=True))
    y = alt.Y("value:Q", scale=scale, axis=alt.Axis(format=form, title=axis))
    base = alt.Chart(frame).encode(x=x)
    layers = []
    if reference:
        low, high = reference
        layers.append(
            base.mark_area(color="#d9dee3", opacity=0.7).encode(y=alt.Y(f"{low}:Q", scale=scale), y2=f"{high}:Q")
        )
    layers += [
        base.mark_area(color=MAIN_LIGHT, opacity=0.45).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        base.mark_line(color=MAIN, strokeWidth=2).encode(y=y),
        base.mark_point(size=60, filled=True, opacity=1).encode(
            y=y,
            color=alt.condition("datum.is_grey", alt.value(FAINT), alt.value(MAIN)),
            tooltip=tooltip or alt.Undefined,
        ),
    ]
    return alt.layer(*layers).properties(height=height, width="container")


def against_expected(frame: pd.DataFrame, axis: str, form: str, since: object, names: tuple[str, str]) -> alt.Chart:
    """What was seen a week, against what was to be expected and its band; the days of the alert are shaded.

    Columns: at, observed, expected, low, high, n.
    """
    observed, expected = names
    x = alt.X("at:T", title=None, axis=alt.Axis(format="%e %b", grid=False, labelOverlap=True))
    base = alt.Chart(frame).encode(x=x)
    scale = alt.Scale(zero=True, nice=True)
    y_axis = alt.Axis(format=form, title=axis)
    colors = alt.Scale(domain=[observed, expected], range=[BAD, MUTED])
    tips = [
        alt.Tooltip("at:T", title=" ", format="%e %b %Y"),
        alt.Tooltip("observed:Q", title=observed, format=form),
        alt.Tooltip("expected:Q", title=expected, format=form),
        alt.Tooltip("n:Q", title="n", format=",.0f"),
    ]
    layers = []
    if since is not None:
        shade = pd.DataFrame({"from": [pd.Timestamp(since)], "to": [frame["at"].max()]})
        layers.append(alt.Chart(shade).mark_rect(color=BAD_LIGHT, opacity=0.25).encode(x="from:T", x2="to:T"))
    layers += [
        base.mark_area(color="#d9dee3", opacity=0.7).encode(y=alt.Y("low:Q", scale=scale, axis=y_axis), y2="high:Q"),
        base.mark_line(strokeDash=[5, 3], strokeWidth=1.5)
        .encode(y=alt.Y("expected:Q", scale=scale), color=alt.Color("name:N", scale=colors))
        .transform_calculate(name=f"'{expected}'"),
        base.mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=45, filled=True))
        .encode(y=alt.Y("observed:Q", scale=scale), color=alt.Color("name:N", scale=colors), tooltip=tips)
        .transform_calculate(name=f"'{observed}'"),
    ]
    return alt.layer(*layers).properties(height=210, width="container")


def waterfall(frame: pd.DataFrame, form: str = "~s") -> alt.Chart:
    """Opening, what came and went, closing. Columns: name, change, start, stop, kind (total, in, won, out), n_text."""
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8))
    kinds = alt.Scale(domain=["total", "in", "won", "out"], range=[MUTED, MAIN, GOOD, BAD])
    moving = frame[frame["kind"] != "total"]
    ends = moving[["start", "stop"]].to_numpy().ravel() if len(moving) else frame[["start", "stop"]].to_numpy().ravel()
    room = (ends.max() - ends.min()) * 0.6 or max(abs(ends.max()) * 0.05, 1)
    domain = [max(0.0, ends.min() - room), ends.max() + room]
    base = alt.Chart(frame.assign(shown_from=frame["start"].clip(lower=domain[0]))).encode(y=y)
    x = alt.X(
        "shown_from:Q", scale=_beside_text(frame, domain=domain, nice=False), axis=alt.Axis(format=form, title=None)
    )
    return alt.layer(
        base.mark_bar(height=16, cornerRadius=2, clip=True).encode(
            x=x,
            x2="stop:Q",
            color=alt.Color("kind:N", scale=kinds, legend=None),
            tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("n_text:N", title=" ")],
        ),
        _row_text(base, INK),
    ).properties(height=FRAME // 2 + 28 * len(frame), width="container")


def stacked(
    frame: pd.DataFrame,
    axis: str,
    form: str = ",.0f",
    time_format: str = "%b %y",
    colors: dict[str, str] | None = None,
    total: bool = False,
    height: int = 260,
) -> alt.Chart:
    """Parts a month or week. Columns: at (a day as text), part, value, maybe order; with `total`: total, low, high."""
    parts = list(colors or dict.fromkeys(frame["part"]))
    scale = alt.Scale(domain=parts, range=list(colors.values()) if colors else SERIES)
    day = f"utcFormat(toDate(datum.value), '{time_format}')"  # a day as text is a day in UTC
    x = alt.X("at:O", title=None, axis=alt.Axis(labelExpr=day, labelAngle=0, grid=False, labelOverlap=True))
    bars = (
        alt.Chart(frame)
        .mark_bar(width={"band": 0.75})
        .encode(
            x=x,
            y=alt.Y("value:Q", stack="zero", axis=alt.Axis(format=form, title=axis)),
            color=alt.Color("part:N", scale=scale, legend=_legend(parts)),
            order=alt.Order("order:Q") if "order" in frame else alt.Undefined,
            tooltip=[
                alt.Tooltip("part:N", title=" "),
                alt.Tooltip("value:Q", title=axis, format=form),
                *([alt.Tooltip("n_text:N", title=" ")] if "n_text" in frame else []),
            ],
        )
    )
    if not total:
        return bars.properties(height=height, width="container")
    base = alt.Chart(frame).encode(x=x)
    return alt.layer(
        bars,
        base.mark_rule(color=INK, strokeWidth=1.5).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, color=INK, size=55, opacity=1).encode(y="total:Q"),
    ).properties(height=height, width="container")


def _legend(names: list[str]) -> alt.Legend:
    """In two columns where one line would be cut."""
    return alt.Legend(columns=2 if sum(map(len, names)) > 36 else 0)


def ranges(frame: pd.DataFrame, axis: str, names: tuple[str, str, str]) -> alt.Chart:
    """Median to 80th percentile, a row a name, and the norm as a tick. Columns: name, p50, p80, norm, n_text."""
    half, most, norm = names
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8))
    x = alt.X("p50:Q", scale=_beside_text(frame, zero=True, nice=True), axis=alt.Axis(title=axis, format=",.0f"))
    base = alt.Chart(frame).encode(y=y)
    tips = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("p50:Q", title=half),
        alt.Tooltip("p80:Q", title=most),
        alt.Tooltip("norm:Q", title=norm),
        alt.Tooltip("n_text:N", title=" "),
    ]
    keys = alt.Scale(domain=[half, most, norm], range=[MAIN, MAIN_LIGHT, BAD])
    return alt.layer(
        base.mark_bar(height=12, color=MAIN_LIGHT, opacity=0.8).encode(x=x, x2="p80:Q", tooltip=tips),
        base.mark_point(filled=True, size=80, opacity=1)
        .encode(x="p50:Q", color=alt.Color("key:N", scale=keys), tooltip=tips)
        .transform_calculate(key=f"'{half}'"),
        base.mark_tick(thickness=2, size=20, opacity=1)
        .encode(x="p80:Q", color=alt.Color("key:N", scale=keys))
        .transform_calculate(key=f"'{most}'"),
        base.mark_tick(thickness=3, size=26, opacity=1)
        .encode(x="norm:Q", color=alt.Color("key:N", scale=keys))
        .transform_calculate(key=f"'{norm}'"),
        _row_text(base),
    ).properties(height=FRAME + ROW * len(frame), width="container")


def bars(
    frame: pd.DataFrame, axis: str, form: str = ".0%", colors: dict[str, str] | None = None, factors: bool = False
) -> alt.Chart:
    """A bar a name with its interval. Columns: name, value, low, high, n_text; optional kind.

    With `factors` the values are logarithms, and the axis says what they multiply by.
    """
    x_axis = (
        alt.Axis(labelExpr="'× ' + format(exp(datum.value), '.2~r')", title=axis)
        if factors
        else alt.Axis(format=form, title=axis)
    )
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8))
    base = alt.Chart(frame).encode(y=y)
    color = (
        alt.Color("kind:N", scale=alt.Scale(domain=list(colors), range=list(colors.values())))
        if colors
        else alt.value(MAIN)
    )
    layers = [
        base.mark_bar(height=14, cornerRadius=2, opacity=0.85).encode(
            x=alt.X("value:Q", scale=_beside_text(frame, zero=True, nice=True), axis=x_axis),
            color=color,
        )
    ]
    if "low" in frame:
        layers.append(base.mark_rule(color=INK, strokeWidth=1.5).encode(x="low:Q", x2="high:Q"))
    layers.append(_row_text(base))
    return alt.layer(*layers).properties(height=FRAME + ROW * len(frame), width="container")


def life(visits: pd.DataFrame, marks: pd.DataFrame, rows: list[str], drawn: dict[str, tuple[str, str]]) -> alt.Chart:
    """A deal's life: stays as bars, what happened as points.

    visits: row, begins, ends, text. marks: row, at, kind, text. `rows` from top to bottom. `drawn`: colour and shape.
    """
    y = alt.Y("row:N", sort=rows, scale=alt.Scale(domain=rows), title=None, axis=alt.Axis(ticks=False, domain=False))
    x_axis = alt.Axis(format="%e %b %y", title=None, labelOverlap=True)
    layers = [
        alt.Chart(visits)
        .mark_bar(height=14, color=MAIN_LIGHT, cornerRadius=2)
        .encode(y=y, x=alt.X("begins:T", axis=x_axis), x2="ends:T", tooltip=alt.Tooltip("text:N", title=" "))
    ]
    kinds = list(drawn)
    if not marks.empty:
        layers.append(
            alt.Chart(marks)
            .mark_point(filled=True, size=85, opacity=1)
            .encode(
                y=y,
                x=alt.X("at:T", axis=x_axis),
                color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[color for color, _ in drawn.values()])),
                shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=[shape for _, shape in drawn.values()])),
                tooltip=alt.Tooltip("text:N", title=" "),
            )
        )
    return alt.layer(*layers).properties(height=FRAME + 30 * len(rows), width="container")


def tree(nodes: pd.DataFrame, edges: pd.DataFrame) -> alt.Chart:
    """Who serves whom, from left to right. nodes: x, y, text, kind. edges: x, y, x2, y2, weight."""
    size = max(220, int(nodes["y"].max() - nodes["y"].min() + 1) * 26)
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.05, 3.85]))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(reverse=True, padding=14))
    words = alt.Chart(nodes).encode(x=x, y=y, text="text:N")
    return alt.layer(
        alt.Chart(edges)
        .mark_rule(color=FAINT)
        .encode(x=x, y=y, x2="x2:Q", y2="y2:Q", strokeWidth=alt.StrokeWidth("weight:Q", scale=None)),
        alt.Chart(nodes)
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=x,
            y=y,
            color=alt.Color("kind:N", scale=alt.Scale(domain=list(dict.fromkeys(nodes["kind"])), range=SERIES)),
            tooltip=alt.Tooltip("tip:N", title=" "),
        ),
        # an edge that runs behind a word leaves it readable
        words.mark_text(align="left", dx=9, fontSize=12, limit=330, stroke="#ffffff", strokeWidth=5),
        words.mark_text(align="left", dx=9, fontSize=12, limit=330, color=INK),
    ).properties(height=size, width="container")
