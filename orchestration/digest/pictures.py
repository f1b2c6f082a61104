"""Pictures as inline SVG: they need no script, no font and no network, and a screen reader has their words."""

from collections.abc import Sequence
from datetime import date
from html import escape

from orchestration.digest.read import Month, Outlook, Week

WIDTH, HEIGHT = 640, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 26
INK, MUTED, GRID, ACCENT, WARN = "#1d2733", "#5b6875", "#e3e8ed", "#1558a6", "#b3261e"


def short(amount: float) -> str:
    """1234567 as 1.2M, and as few digits as tell it."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"{amount / size:.1f}".removesuffix(".0") + letter
    return f"{amount:.0f}"


def observed_and_expected(weeks: Sequence[Week], counted: str, started_on: date | None) -> str:
    """Two lines over weeks: what was counted, and what the baseline expects. A mark where it is likeliest to begin."""
    if len(weeks) < 2:
        return ""
    top = _round_up(max(max(week.observed, week.expected) for week in weeks))
    xs = [LEFT + index * (WIDTH - LEFT - RIGHT) / (len(weeks) - 1) for index in range(len(weeks))]
    parts = _axis(top)
    begun = [x for x, week in zip(xs, weeks, strict=True) if started_on and week.starts_on <= started_on]
    if begun:
        parts.append(
            f'<rect x="{begun[-1]:.1f}" y="{TOP}" width="{WIDTH - RIGHT - begun[-1]:.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}" fill="{WARN}" opacity="0.07"/>'
        )
    for values, colour, dash in (
        ([week.expected for week in weeks], MUTED, ' stroke-dasharray="5 4"'),
        ([week.observed for week in weeks], WARN, ""),
    ):
        points = " ".join(f"{x:.1f},{_y(value, top):.1f}" for x, value in zip(xs, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
    step = max(1, len(weeks) // 6)
    parts += [_label(x, week.starts_on.strftime("%d %b")) for x, week in list(zip(xs, weeks, strict=True))[::step]]
    last = weeks[-1]
    words = f"{counted.capitalize()}: in the week of {last.starts_on}, {last.observed:.0f} against {last.expected:.0f}"
    return _svg(parts, f"{words} expected.")


def bars(months: Sequence[Month], currency: str) -> str:
    """Amounts won by month; the month under way is pale."""
    if not months:
        return ""
    top = _round_up(max(month.won for month in months))
    room = (WIDTH - LEFT - RIGHT) / len(months)
    parts = _axis(top)
    for index, month in enumerate(months):
        x, y = LEFT + index * room, _y(month.won, top)
        parts.append(
            f'<rect x="{x + room * 0.14:.1f}" y="{y:.1f}" width="{room * 0.72:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}" rx="2" fill="{ACCENT}" opacity="{1 if month.is_whole else 0.4}"/>'
        )
        parts.append(_label(x + room / 2, month.starts_on.strftime("%b")))
        parts.append(_label(x + room / 2, short(month.won), y - 4))
    last = months[-1]
    under_way = "" if last.is_whole else ", under way"
    return _svg(parts, f"Won by month, {currency}. {last.starts_on:%B %Y}: {short(last.won)}{under_way}.")


def outlook(seen: Outlook) -> str:
    """What is booked, the range that holds the quarter's end in four of five cases, and the target."""
    top = max(seen.high, seen.target or 0, seen.booked) * 1.05 or 1.0
    height, middle = 78, 34

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * max(0.0, value) / top

    parts = [
        f'<rect x="{LEFT}" y="{middle - 9}" width="{WIDTH - LEFT - RIGHT}" height="18" rx="3" fill="{GRID}"/>',
        f'<rect x="{LEFT}" y="{middle - 9}" width="{x(seen.booked) - LEFT:.1f}" height="18" rx="3" fill="{ACCENT}"/>',
        f'<rect x="{x(seen.low):.1f}" y="{middle - 5}" width="{max(2.0, x(seen.high) - x(seen.low)):.1f}" height="10" '
        f'rx="3" fill="{ACCENT}" opacity="0.45"/>',
        _line(x(seen.median), middle - 12, x(seen.median), middle + 12, INK, 2),
        _label(x(seen.median), f"expected {short(seen.median)}", middle + 30),
    ]
    if seen.target:
        parts.append(_line(x(seen.target), middle - 18, x(seen.target), middle + 18, WARN, 2))
        parts.append(_label(x(seen.target), f"target {short(seen.target)}", middle - 22, anchor="end"))
    target = f" Target {short(seen.target)}." if seen.target else ""
    words = (
        f"Booked {short(seen.booked)}, expected by {seen.ends_on}: {short(seen.median)}, "
        f"between {short(seen.low)} and {short(seen.high)} in four of five cases.{target}"
    )
    return _svg(parts, words, height)


def _svg(parts: list[str], words: str, height: int = HEIGHT) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(words)}">'
        f"<title>{escape(words)}</title>{''.join(parts)}</svg>"
    )


def _axis(top: float) -> list[str]:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _y(top * share, top)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, GRID, 1))
        parts.append(_label(LEFT - 6, short(top * share), y + 4, anchor="end"))
    return parts


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _label(x: float, text: str, y: float = HEIGHT - 8, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="11" fill="{MUTED}">{escape(text)}</text>'


def _round_up(value: float) -> float:
    """The next round number, for an axis to end on."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{value:.0f}") - 1)
    return next(step * power for step in (1, 1.5, 2, 3, 4, 6, 8, 10) if step * power >= value)
