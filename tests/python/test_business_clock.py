"""The business clock against a slow reference in plain Python, on random offices and moments; its seeds' guards."""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.python.models import Models, dbt

MODELS = ["int_days_spanned", "int_local_days_opened", "int_business_days", "int_business_slots"]
READ = """
select
    {{ business_seconds_at('days', 'moments.moment_at') }} as business_seconds,
    {{ business_day_number_at('days', 'moments.moment_at') }} as business_days
from moments
left join int_business_days as days
    on moments.country = days.country and cast(moments.moment_at as date) = days.date_day
order by moments.number
"""
FIND = """
select {{ moment_of_business_seconds('slots', 'targets.seconds') }} as at
from targets
left join int_business_slots as slots
    on targets.country = slots.country and {{ business_slot_of('targets.seconds') }} = slots.slot_number
order by targets.number
"""
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

# Halves and quarters of an hour, both hemispheres, clocks that change at midnight or by half an hour, and both
# ends of the earth.
TIME_ZONES = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
]


def days_between(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


def epoch(at: datetime) -> int:
    return calendar.timegm(at.timetuple())


@dataclass(frozen=True)
class Office:
    """A country's working day: quarters of an hour by ISO weekday, and its holidays."""

    time_zone: str
    hours: dict[int, tuple[int, int]]
    holidays: frozenset[date] = frozenset()

    def is_business_day(self, day: date) -> bool:
        return day.isoweekday() in self.hours and day not in self.holidays

    def moment(self, day: date, quarter: int) -> datetime:
        """Local time on `day`, in UTC, without a time zone as in the tables."""
        local = datetime.combine(day, time()) + timedelta(minutes=15 * quarter)
        return local.replace(tzinfo=ZoneInfo(self.time_zone)).astimezone(UTC).replace(tzinfo=None)

    def local_day(self, at: datetime) -> date:
        return at.replace(tzinfo=UTC).astimezone(ZoneInfo(self.time_zone)).date()

    def windows(self, first: date, last: date) -> list[tuple[datetime, datetime]]:
        return [
            (self.moment(day, self.hours[day.isoweekday()][0]), self.moment(day, self.hours[day.isoweekday()][1]))
            for day in days_between(first, last)
            if self.is_business_day(day)
        ]

    def moments_around_clock_changes(self, first: date, last: date) -> list[datetime]:
        """Each hour and quarter past, and the second before, of the two days around each change of the clocks."""
        offset = {}
        for day in days_between(first, last):
            noon = datetime.combine(day, time(12))
            offset[noon] = noon.replace(tzinfo=UTC).astimezone(ZoneInfo(self.time_zone)).utcoffset()
        changes = [noon for noon in offset if noon - DAY in offset and offset[noon] != offset[noon - DAY]]
        hours = [change + timedelta(hours=n) for change in changes for n in range(-42, 12)]
        return [hour + shift for hour in hours for shift in (timedelta(0), -SECOND, timedelta(minutes=15))]


Sql = Callable[[str], str]


@pytest.fixture(scope="module")
def compiled(models: Models) -> Sql:
    """SQL as dbt compiles it, by the name of a model or test; 'read' and 'find' use the macros."""
    inline = dbt(models.settings, "--quiet", "compile", "--no-write-json", "--inline", f"{READ};{FIND}").split(";")
    own = dict(zip(("read", "find"), inline, strict=True))
    return lambda name: own.get(name) or models.code[name]


def an_empty_warehouse(hours: list[tuple], holidays: list[tuple]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'; attach ':memory:' as inflight; use inflight")
    for schema in ("seeds", "canonical", "staging", "intermediate"):
        con.execute(f"create schema {schema}")
    con.execute(
        "create table seeds.business_hours "
        "(country varchar, weekday integer, opens_at varchar, closes_at varchar, time_zone varchar)"
    )
    con.execute("create table seeds.business_calendar (country varchar, date_day date, holiday varchar)")
    for table, rows in [("business_hours", hours), ("business_calendar", holidays)]:
        for row in rows:
            con.execute(f"insert into seeds.{table} values ({', '.join('?' * len(row))})", row)
    return con


class Clock:
    """The models built for offices, over the year of `first_deal` and the next."""

    def __init__(self, compiled: Sql, offices: dict[str, Office], first_deal: date) -> None:
        self.compiled = compiled
        self.con = an_empty_warehouse(
            [
                (country, weekday, *(f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in hours), office.time_zone)
                for country, office in offices.items()
                for weekday, hours in office.hours.items()
            ],
            [(country, day, "Holiday") for country, office in offices.items() for day in office.holidays],
        )
        # An early as_of keeps the calendar short.
        self.con.execute("create table canonical.crm_deals as select ?::timestamp as created_at", [first_deal])
        self.con.execute(
            "create table staging.stg_as_of as select ?::timestamp - interval 1 year as as_of", [first_deal]
        )
        for model in MODELS:
            self.con.execute(f"create table intermediate.{model} as {compiled(model)}")
        self.con.execute("set search_path = 'inflight.intermediate'")

    def read(self, country: str, moments: list[datetime | None]) -> list[tuple[int, int]]:
        """Business seconds and business days at each moment."""
        self.con.execute(
            "create or replace temp table moments as select ? as country, moment_at, number from ("
            "select unnest(?::timestamp[]) as moment_at, generate_subscripts(?::timestamp[], 1) as number)",
            [country, moments, moments],
        )
        return self.con.execute(self.compiled("read")).fetchall()

    def find(self, country: str, seconds: list[int | None]) -> list[datetime]:
        """The moment of each reading."""
        self.con.execute(
            "create or replace temp table targets as select ? as country, seconds, number from ("
            "select unnest(?::bigint[]) as seconds, generate_subscripts(?::bigint[], 1) as number)",
            [country, seconds, seconds],
        )
        return [at for (at,) in self.con.execute(self.compiled("find")).fetchall()]


first_deals = st.dates(date(2022, 1, 1), date(2025, 12, 31))
hours_of_a_day = st.tuples(st.integers(0, 96), st.integers(0, 96)).filter(lambda hours: hours[0] < hours[1])


@st.composite
def offices(draw, first_deal: date) -> Office:
    first = date(first_deal.year, 1, 1)
    return Office(
        time_zone=draw(st.sampled_from(TIME_ZONES)),
        hours=draw(
            st.one_of(
                st.just({weekday: (36, 72) for weekday in range(1, 6)}),
                st.just({weekday: (0, 96) for weekday in range(1, 8)}),
                st.dictionaries(st.integers(1, 7), hours_of_a_day, min_size=1),
            )
        ),
        holidays=draw(st.frozensets(st.dates(first, first + 500 * DAY), max_size=40)),
    )


# Not shrunk: the assertions say which office and moment, and an example takes a fifth of a second.
@settings(max_examples=25, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_the_clock_agrees_with_counting_second_by_second(compiled: Sql, data):
    first_deal = data.draw(first_deals)
    countries = {name: data.draw(offices(first_deal)) for name in ("here", "there")}
    clock = Clock(compiled, countries, first_deal)
    first, last = clock.con.execute("select min(date_day), max(date_day) from int_business_days").fetchone()
    assert first == date(first_deal.year, 1, 1)
    within = st.datetimes(datetime.combine(first, time()), datetime.combine(last, time(23, 59, 59)))
    random_moments = data.draw(st.lists(within, min_size=1, max_size=20))

    for country, office in countries.items():
        began, ended = (epoch(datetime.combine(day, time())) for day in (first, last + DAY))
        windows = [(epoch(opens), epoch(closes)) for opens, closes in office.windows(first - DAY, last + DAY)]
        business_days = [day for day in days_between(first - DAY, last + DAY) if office.is_business_day(day)]
        moments = random_moments + office.moments_around_clock_changes(first + 2 * DAY, last - 2 * DAY)
        moments = sorted(at.replace(microsecond=0) for at in moments)

        readings = clock.read(country, moments)
        first_number, first_local_day = readings[0][1], office.local_day(moments[0])
        for at, (seconds, number) in zip(moments, readings, strict=True):
            now = epoch(at)
            worked = sum(
                min(now, closes) - max(began, opens) for opens, closes in windows if opens < now and closes > began
            )
            assert seconds == worked, f"{country} {office} at {at}"
            local_day = office.local_day(at)
            begun = sum(first_local_day < day <= local_day for day in business_days)
            assert number - first_number == begun, f"{country} {office} at {at}"

        found = clock.find(country, [seconds for seconds, _ in readings])
        again = clock.read(country, found)
        for at, (seconds, _), moment, (seconds_again, _) in zip(moments, readings, found, again, strict=True):
            now = epoch(at)
            to_come = next((opens for opens, closes in windows if closes > now), ended)
            if moment is None:
                assert to_come >= ended, f"{country} {office} at {at}"
            else:  # at work it is that very moment, else the next opening
                assert seconds_again == seconds
                assert epoch(moment) == max(now, to_come), f"{country} {office} at {at}"


GERMANY = Office("Europe/Berlin", {weekday: (36, 72) for weekday in range(1, 6)}, frozenset({date(2025, 5, 1)}))


@pytest.fixture(scope="module")
def germany(compiled: Sql) -> Clock:
    return Clock(compiled, {"germany": GERMANY}, date(2025, 3, 1))


def test_a_moment_beyond_the_calendar_or_unknown_is_null(germany: Clock):
    moments = [datetime(2024, 12, 31, 23, 59, 59), None, datetime(2030, 1, 1)]
    assert germany.read("germany", moments) == [(None, None)] * 3
    assert germany.read("nowhere", [datetime(2025, 3, 3)]) == [(None, None)]
    assert germany.find("germany", [None, -1, 10**9]) == [None] * 3


def test_a_holiday_and_a_weekend_take_no_time_and_no_business_day(germany: Clock):
    wednesday, friday, monday = datetime(2025, 4, 30, 15), datetime(2025, 5, 2, 8), datetime(2025, 5, 5, 7)
    before, after, next_week = germany.read("germany", [wednesday, friday, monday])
    assert (after[0] - before[0], after[1] - before[1]) == (1 * 3600 + 1 * 3600, 1)
    assert (next_week[0] - after[0], next_week[1] - after[1]) == (8 * 3600, 1)


def test_two_working_hours_from_an_hour_before_closing_are_due_in_the_first_hour_of_the_next_working_day(
    germany: Clock,
):
    ((seconds, _),) = germany.read("germany", [datetime(2025, 3, 28, 16, 10)])  # Friday, 17:10; clocks change on Sunday
    (due_at,) = germany.find("germany", [seconds + 2 * 3600])
    assert due_at == datetime(2025, 3, 31, 8, 10)  # Monday, 10:10


FAULTY = {
    "9:00 is not HH:MM": ("assert_business_hours_are_on_quarter_hours", ("x", 1, "9:00", "18:00", "UTC")),
    "off the quarter": ("assert_business_hours_are_on_quarter_hours", ("x", 1, "09:00", "17:50", "UTC")),
    "no opening time": ("assert_business_hours_are_on_quarter_hours", ("x", 1, None, "17:45", "UTC")),
    "closes before it opens": ("assert_offices_close_after_they_open", ("x", 1, "22:00", "06:00", "UTC")),
    "closes as it opens": ("assert_offices_close_after_they_open", ("x", 1, "09:00", "09:00", "UTC")),
    "unknown time zone": ("assert_time_zones_of_business_hours_are_known", ("x", 1, "09:00", "18:00", "Europe/Bonn")),
    "no time zone": ("assert_time_zones_of_business_hours_are_known", ("x", 1, "09:00", "18:00", None)),
    "opens twice a day": (
        "assert_a_country_has_one_time_zone_and_opens_once_a_day",
        ("default", 1, "19:00", "20:00", "UTC"),
    ),
    "two time zones": (
        "assert_a_country_has_one_time_zone_and_opens_once_a_day",
        ("default", 2, "09:00", "18:00", "Europe/Berlin"),
    ),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_in_the_business_hours_fails_the_test_that_names_it(compiled: Sql, fault: str):
    test, row = FAULTY[fault]
    right = ("default", 1, "09:00", "24:00", "UTC")
    assert an_empty_warehouse([right], []).execute(compiled(test)).fetchall() == []
    assert an_empty_warehouse([right, row], []).execute(compiled(test)).fetchall()


def test_a_company_whose_calendar_has_no_business_hours_is_told_so(compiled: Sql):
    con = an_empty_warehouse([("germany", 1, "09:00", "18:00", "Europe/Berlin")], [])
    assert con.execute(compiled("assert_the_companys_own_calendar_has_business_hours")).fetchall() == [("default",)]


@pytest.mark.parametrize("last_holiday, told", [(date(2026, 6, 29), True), (date(2026, 6, 30), False)])
def test_a_calendar_that_ends_within_a_year_is_told_of(compiled: Sql, last_holiday: date, told: bool):
    con = an_empty_warehouse([], [("default", date(2020, 1, 1), "New Year"), ("default", last_holiday, "Holiday")])
    con.execute("create table staging.stg_as_of as select timestamp '2025-06-30' as as_of")
    assert bool(con.execute(compiled("assert_holidays_are_entered_for_the_year_to_come")).fetchall()) is told
