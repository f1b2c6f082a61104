"""How the text of one value becomes a value of its declared type, as SQL: exactly, or not at all."""

from dataclasses import dataclass

from orchestration.defs.landing.contract import Column
from orchestration.defs.landing.sql import ident, literal

# A table whose numbers and dates may come typed, inside JSON or a workbook, writes those with a point.
PLAIN, JSON, SHEET, SHEET_1904 = "plain", "json", "sheet", "sheet since 1904"

_CURRENCIES = (
    r"\p{Sc}|R\$|руб\.?|р\.|zł|Kč|kr\.?|"
    "USD|EUR|GBP|RUB|RUR|UAH|KZT|BYN|PLN|CZK|CHF|SEK|NOK|DKK|JPY|CNY|INR|BRL|MXN|CAD|AUD|NZD|TRY|AED|ILS|ZAR|SGD|"
    "HKD|KRW|GEL|AMD|AZN|UZS|KGS"
)
_BLANK = r"[ \t\x{00A0}\x{2009}\x{202F}]"
_GROUPING = {None: _BLANK, " ": _BLANK, ".": r"\.", ",": ",", "'": "['’]"}
_ERAS = "between timestamp '1000-01-01' and timestamp '9999-12-30'"  # a year of two digits is none
_IS_YEAR_FIRST = "(substr({}, 5, 1) in ('-', '/'))"  # DuckDB also reads 1-2-3, infinity and epoch as times
_SPREADSHEET_ID = r"\d([.,]\d+)?[eE]\+?\d+"


@dataclass(frozen=True)
class Value:
    """SQL of a column's value, null where it cannot be read; `faults` are (condition, reason), first that holds.

    A fault speaks of the value by the column's name: reading it twice would cost as much again.
    """

    sql: str
    faults: tuple[tuple[str, str], ...] = ()


def without_null_words(column: Column, text: str) -> str:
    """The text, null where it is one of the words that the contract calls null."""
    if not column.null_words:
        return text
    words = ", ".join(literal(word) for word in column.null_words)
    return f"case when lower(trim({text})) not in ({words}) then {text} end"


def read_text(column: Column, text: str, source: str = PLAIN) -> Value:
    """A value that comes as text; `text` is a name or a short expression, which the SQL repeats."""
    kind = column.data_type
    if kind == "varchar":
        return _text(column, text, source)
    if kind == "date":
        return _date(column, text, source)
    if kind == "timestamp":
        return _timestamp(column, text, source)
    if kind == "boolean":
        words = f"case lower(trim({text})) when 'да' then true when 'нет' then false end"
        return Value(f"coalesce(try_cast({text} as boolean), {words})", _unreadable(column, text))
    if _is_number(kind):
        return _number(column, text, source)
    return Value(f"try_cast({text} as {kind})", _unreadable(column, text))


def read_typed(column: Column, expression: str, read_as: str, text: str) -> Value:
    """A value that comes with a type of its own, as in Parquet; `text` is what it looks like."""
    kind, typed = column.data_type, ident(column.name)
    if _same(read_as, kind) and (kind != "timestamp" or column.time_zone == "UTC"):
        return Value(expression)
    if kind == "timestamp" and read_as == "timestamp with time zone":
        return Value(f"timezone('UTC', {expression})")
    if kind == "timestamp" and (read_as == "date" or read_as.startswith("timestamp")):
        value = _to_utc(f"try_cast({expression} as timestamp)", column.time_zone)
        return Value(value, _unreadable(column, text))
    if kind == "varchar" and read_as in ("double", "float"):
        # An id that a float has held: 12345.0 is 12345, and beyond 2^53 nobody knows what it was.
        whole = f"{expression} = trunc({expression}) and abs({expression}) < 9007199254740992"
        value = f"case when {whole} then {expression}::bigint::varchar else {expression}::varchar end"
        return Value(value, ((f"abs({expression}) >= 9007199254740992", "has more digits than a float keeps"),))
    if kind == "date" and read_as.startswith("timestamp"):
        is_time = f"timezone('UTC', ({expression})::timestamptz) is distinct from {typed}::timestamp"
        faults = ((f"{expression} is not null and {is_time}", "is a time, not a date"),)
        return Value(f"try_cast({expression} as date)", faults)
    if _is_number(read_as) and _is_number(kind):
        exact = f"try_cast({text} as decimal(38, 10))"
        faults = (*_unreadable(column, text), *_inexact(column, text, exact))
        return Value(f"try_cast({expression} as {kind})", faults)
    return read_text(column, text)


def _same(one: str, other: str) -> bool:
    return one.replace(" ", "") == other.replace(" ", "")


def _is_number(data_type: str) -> bool:
    return data_type.startswith(("decimal", "float", "double")) or data_type.endswith("int") or "integer" in data_type


def _unreadable(column: Column, text: str) -> tuple[tuple[str, str], ...]:
    return ((f"{text} is not null and {ident(column.name)} is null", f"not a {column.data_type}"),)


def _text(column: Column, text: str, source: str) -> Value:
    if column.name != "id" and not column.name.endswith("_id"):
        return Value(text)
    value = text
    if source in (SHEET, SHEET_1904):
        value = f"case when regexp_full_match({text}, '\\d+\\.0') then left({text}, -2) else {text} end"
    # Cheap looks before the dear one.
    may_be = f"strlen({text}) > 4 and (contains({text}, 'E+') or contains({text}, 'e+'))"
    is_short = f"{may_be} and regexp_full_match({text}, '{_SPREADSHEET_ID}')"
    return Value(value, ((is_short, "an id that a spreadsheet has shortened; export it as text"),))


def _number(column: Column, text: str, source: str) -> Value:
    written = _plain_number(column, text)
    comes_typed = source != PLAIN

    def cast(kind: str) -> str:
        if column.decimal == ".":
            return f"coalesce(try_cast({text} as {kind}), try_cast({written} as {kind}))"
        if comes_typed:
            return f"coalesce(try_cast({written} as {kind}), try_cast({text} as {kind}))"
        return f"try_cast({written} as {kind})"

    faults = []
    if comes_typed and column.thousands == ".":
        both = f"regexp_full_match({text}, '\\d{{1,3}}(\\.\\d{{3}})+')"
        faults.append((both, "may be a number with a point or with grouped digits"))
    faults += _unreadable(column, text)
    faults += _inexact(column, text, cast("decimal(38, 10)"))
    if source == JSON:
        # JSON's own numbers with a fraction are read as floats: sixteen digits and more may have been rounded.
        digits = f"length(regexp_replace({text}, '[^0-9]', '', 'g'))"
        is_long = f"strlen({text}) >= 17 and contains({text}, '.') and {digits} >= 16"
        faults.append((is_long, "has more digits than a JSON number keeps"))
    return Value(cast(column.data_type), tuple(faults))


def _inexact(column: Column, text: str, exact: str) -> tuple[tuple[str, str], ...]:
    """What would be rounded or cut when it becomes a value of the column's type."""
    kind, typed = column.data_type, ident(column.name)
    if kind in ("double", "float"):
        return ((f"not isfinite({typed})", f"not a {kind}"),)
    return ((f"{exact} is distinct from {typed}::decimal(38, 10)", f"has more digits than {kind}"),)


def _plain_number(column: Column, text: str) -> str:
    """SQL of a number that is written as people do, with a point and nothing else; null where it is none."""
    point = r"\." if column.decimal == "." else ","
    grouped = rf"\d{{1,3}}(?:{_GROUPING[column.thousands]}\d{{3}})+|" if column.thousands != "" else ""
    currency = rf"(?:{_CURRENCIES})?"
    pattern = (
        rf"{_BLANK}*{currency}{_BLANK}*([-+−]?){_BLANK}*{currency}{_BLANK}*"
        rf"({grouped}\d+)(?:{point}(\d+))?{_BLANK}*{currency}{_BLANK}*"
    )

    def part(number: int) -> str:
        return f"regexp_extract({text}, {literal('^' + pattern + '$')}, {number})"

    return (
        f"case when regexp_full_match({text}, {literal(pattern)}) then replace({part(1)}, '−', '-') "
        f"|| regexp_replace({part(2)}, '[^0-9]', '', 'g') || '.' || {part(3)} || '0' end"
    )


def _timestamp(column: Column, text: str, source: str) -> Value:
    trials = {each: _moment(each, text, column.time_zone) for each in _formats(column, source)}
    return Value(f"coalesce({', '.join(trials.values())})", (*_unlikely_days(column, text, trials),))


def _date(column: Column, text: str, source: str) -> Value:
    # In no zone: a day is the day that is written.
    trials = {each: _moment(each, text, None) for each in _formats(column, source)}
    moment = f"coalesce({', '.join(trials.values())})"
    midnight = f"try_cast({text} as timestamptz) is not distinct from {ident(column.name)}::timestamptz"
    # Ten characters hold no time of day; reading one is slow.
    has_time = f"strlen({text}) > 10 and {moment} <> date_trunc('day', {moment}) and not {midnight}"
    return Value(f"({moment})::date", (*_unlikely_days(column, text, trials), (has_time, "is a time, not a date")))


def _formats(column: Column, source: str) -> tuple[str, ...]:
    """In order of trial. No format can take another's text but %Y that of %y, so years of two digits go first."""
    formats = sorted(column.formats, key=lambda form: form != "iso" and "%y" not in form)
    return (source, *formats) if source in (SHEET, SHEET_1904) else tuple(formats)


def _unlikely_days(column: Column, text: str, trials: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Not a day; one of the year 26; or one day by one format and another by another."""
    typed = ident(column.name)
    faults = [*_unreadable(column, text), (f"{typed} not {_ERAS}", f"not a {column.data_type}")]
    # Year first, seconds and serial days cannot be mistaken for anything else.
    alike = [each for each in trials if "%" in each and not each.startswith("%Y")]
    if len(alike) > 1:
        moments = ", ".join(f"case when {trials[each]} {_ERAS} then {trials[each]} end" for each in alike)
        is_doubtful = f"not {_IS_YEAR_FIRST.format(text)} and least({moments}) <> greatest({moments})"
        faults.insert(0, (is_doubtful, f"may be two days: the formats {', '.join(alike)} differ on it"))
    return tuple(faults)


def _moment(form: str, text: str, zone: str | None) -> str:
    """SQL of a TIMESTAMP in UTC, or as written where `zone` is None; null where the text is not of the format."""
    if form == "iso":
        return _iso(f"case when {_IS_YEAR_FIRST.format(text)} then {text} end", text, zone)
    if form == "epoch_seconds":
        micros = f"(try_cast({text} as decimal(20, 6)) * 1000000)::bigint"
        return f"case when regexp_full_match({text}, '\\d{{9,11}}(\\.\\d+)?') then make_timestamp({micros}) end"
    if form == "epoch_milliseconds":
        micros = f"try_cast({text} as bigint) * 1000"
        return f"case when regexp_full_match({text}, '\\d{{12,14}}') then make_timestamp({micros}) end"
    if form in (SHEET, SHEET_1904):
        day_0 = "1899-12-30" if form == SHEET else "1904-01-01"
        days = f"try_cast({text} as double)"
        moment = f"timestamp '{day_0}' + to_microseconds((round({days} * 86400000) * 1000)::bigint)"
        is_serial = f"regexp_full_match({text}, '\\d{{1,7}}(\\.\\d+)?') and {days} < 2958000"
        return _to_utc(f"(case when {is_serial} then {moment} end)", zone)
    # DuckDB takes these words for 1900-01-01, whatever the format.
    words = "('epoch', 'infinity', '-infinity', '+infinity')"
    moment = f"try_strptime(case when lower(trim({text})) not in {words} then trim({text}) end, {literal(form)})"
    # With %z or %Z the text says its own zone.
    return f"timezone('UTC', {moment})" if "%z" in form.lower() else _to_utc(moment, zone)


def _iso(year_first: str, text: str, zone: str | None) -> str:
    as_written = f"try_cast({year_first} as timestamp)"
    if zone is None:
        return as_written
    # A text with an offset (+03:00) would lose it in a plain cast. The other cast takes eight times as long, so
    # texts that have no room for an offset are told by their length.
    has_room = f"not (strlen({text}) = 10 or strlen({text}) = 19 and substr({text}, 17, 1) = ':')"
    with_offset = f"timezone('UTC', try_cast({year_first} as timestamptz))"
    if zone == "UTC":
        return f"(case when {has_room} and not suffix({text}, 'Z') then {with_offset} else {as_written} end)"
    has_offset = f"regexp_matches({text}, ':\\d{{2}}(\\.\\d+)? ?(Z|[+-]\\d{{2}}(:?\\d{{2}})?)$')"
    return f"(case when {has_room} and {has_offset} then {with_offset} else {_to_utc(as_written, zone)} end)"


def _to_utc(local: str, zone: str | None) -> str:
    """The moment at which clocks of the zone show a local time; of a time that they show twice, the first."""
    if zone in (None, "UTC"):
        return local
    name = literal(zone)
    first = f"timezone('UTC', timezone({name}, {local} - interval 1 day)) + interval 1 day"
    return (
        f"case when timezone({name}, timezone('UTC', {first})) = {local} then {first} "
        f"else timezone('UTC', timezone({name}, {local})) end"
    )
