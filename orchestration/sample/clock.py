"""Time as whole seconds since 1970 (UTC), and the working clock: Monday to Friday, 9:00 to 18:00."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DAY = 86_400
OPENS = 9 * 3600
WORK = 9 * 3600
"""Seconds in a working day."""

NEVER = np.iinfo(np.int64).max // 4
"""The moment of what does not happen: later than everything."""

_FIRST_MONDAY = 4  # 1970-01-05, in days since 1970-01-01


def seconds(moment: date | datetime) -> int:
    """Seconds since 1970 of a moment; one without a zone is UTC, a date is its midnight."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() // 1)


def as_times(when: Ints) -> npt.NDArray[np.datetime64]:
    """Seconds as `datetime64[s]`, NEVER as NaT; same shape."""
    times = np.where(when >= NEVER, 0, when).astype("datetime64[s]")
    times[when >= NEVER] = np.datetime64("NaT")
    return times


def weekday(day: Ints) -> Ints:
    """Day of the week of days since 1970; Monday is 0."""
    return (day - _FIRST_MONDAY) % 7


def to_working(when: Ints) -> Ints:
    """Working seconds passed at each moment; nights and weekends count as the next opening."""
    week, day = np.divmod(when // DAY - _FIRST_MONDAY, 7)
    within = np.where(day >= 5, 0, np.clip(when % DAY - OPENS, 0, WORK))
    return (week * 5 + np.minimum(day, 5)) * WORK + within


def from_working(worked: Ints) -> Ints:
    """The moments at which the given working seconds have passed; the inverse of `to_working`."""
    day, within = np.divmod(worked, WORK)
    week, day = np.divmod(day, 5)
    return (_FIRST_MONDAY + week * 7 + day) * DAY + OPENS + within


def after_work(when: Ints, days: Floats) -> Ints:
    """The moments `days` working days (fractions allowed) after `when`."""
    return from_working(to_working(when) + np.rint(days * WORK).astype(np.int64))


def work_days(start: Ints, end: Ints) -> Floats:
    """Working days from `start` to `end`; negative when the end is earlier."""
    return (to_working(end) - to_working(start)) / WORK


def in_working_hours(when: Ints, part: Floats) -> Ints:
    """The same day, at the given part (0 to 1) of working hours; what falls on a weekend is done on one of
    the next three working days."""
    day = when // DAY
    # Which of the three is read off the moment itself, so that Mondays are not crowded.
    wait = np.where(weekday(day) >= 5, 7 - weekday(day) + when // 7 % 3, 0)
    return (day + wait) * DAY + OPENS + (part * WORK).astype(np.int64)


def between(start: Ints, end: Ints, part: Floats) -> Ints:
    """A working moment at the given part (0 to 1) of the way from `start` to `end`, never outside."""
    first = to_working(start)
    moment = from_working(first + (part * (to_working(end) - first)).astype(np.int64))
    return np.maximum(np.minimum(moment, end), start)


def _last_work_day(month: npt.NDArray[np.datetime64]) -> Ints:
    day = ((month + 1).astype("datetime64[D]") - np.timedelta64(1, "D")).astype(np.int64)
    return day - np.maximum(weekday(day) - 4, 0)


def month_end(when: Ints) -> Ints:
    """Midnight of the last working day of the month, the next month's when that day has passed."""
    month = when.astype("datetime64[s]").astype("datetime64[M]")
    day = _last_work_day(month)
    return np.where(day < when // DAY, _last_work_day(month + 1), day) * DAY


def quarter_before(when: Ints) -> Ints:
    """Midnight of the last working day of the quarter before the one of `when`."""
    month = when.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return _last_work_day((month // 3 * 3 - 1).astype("datetime64[M]")) * DAY
