"""Files as people and programs write them: encodings, delimiters, numbers, dates, JSON pages, workbooks."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.defs.landing.contract import ContractError
from orchestration.settings import Settings
from tests.python.conftest import Extracts, contract
from tests.python.workbooks import write_workbook

ID = {"data_type": "varchar", "required": True}


@pytest.fixture
def files(settings: Settings) -> Extracts:
    return Extracts(settings, "x")


def landed(files: Extracts, column: str) -> list:
    return [value for (value,) in files.query(f"select {column} from raw_x.deals order by rowid")]


def rejects(files: Extracts) -> list[tuple]:
    return files.query("select line, column_name, value, reason from landing.rejects order by path, line")


def test_a_file_is_read_in_the_encoding_it_has(files: Extracts, tmp_path: Path):
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"]
    for encoding in encodings:
        files.data(f"deals.{encoding}.csv", f"id,title\n{encoding},Ромашка № 5\n".encode(encoding))
        files.data(f"deals.{encoding}.jsonl", f'{{"id": "{encoding}", "title": "Ромашка № 5"}}\n'.encode(encoding))
    columns = {"id": ID, "title": "varchar"}
    outcomes = files.land(contracts=contract(tmp_path, columns, encoding="windows-1251"))
    assert {(o.status, o.encoding) for o in outcomes} == {("landed", each.removesuffix("-sig")) for each in encodings}
    assert sorted(files.query("select distinct id, title from raw_x.deals")) == [
        (each, "Ромашка № 5") for each in sorted(encodings)
    ]


def test_an_encoding_that_nobody_declared_is_refused_not_guessed(files: Extracts, tmp_path: Path):
    files.data("deals.csv", "id,title\n1,Общество с ограниченной ответственностью\n".encode("cp1251"))
    (outcome,) = files.land(contracts=contract(tmp_path, {"id": ID, "title": "varchar"}))
    assert outcome.status == "refused"
    assert "it looks like windows-1251" in outcome.reason


def test_bytes_that_are_foreign_late_in_a_file_are_found(files: Extracts, tmp_path: Path):
    rows = "".join(f"{n},{'x' * 100}\n" for n in range(20_000))
    files.data("deals.csv", f"id,title\n{rows}z,é\n".encode("cp1252"))
    (outcome,) = files.land(contracts=contract(tmp_path, {"id": ID, "title": "varchar"}))
    assert (outcome.status, "neither UTF-8 nor UTF-16" in outcome.reason) == ("refused", True)


@pytest.mark.parametrize("declared", [None, ";"])
def test_the_delimiter_is_the_one_that_makes_sense_of_the_header(files: Extracts, tmp_path: Path, declared):
    delimiters = [",", ";", "\t", "|"]
    for number, each in enumerate(delimiters):
        header = each.join(["id", "title", '"sum, or so; net"'])
        files.text(f"deals_{number}.csv", f'{header}\n{number}{each}"a,b;c"{each}2\n')
    columns = {"id": ID, "title": "varchar"}
    outcomes = files.land(contracts=contract(tmp_path, columns, **({"delimiter": declared} if declared else {})))
    assert [outcome.delimiter for outcome in outcomes] == delimiters
    assert {tuple(outcome.extra_columns) for outcome in outcomes} == {("sum, or so; net",)}
    assert landed(files, "title") == ["a,b;c"] * 4


def test_what_a_spreadsheet_puts_above_the_header_is_no_row(files: Extracts, tmp_path: Path):
    files.data("deals.csv", b"sep=;\r\nid;title\r\n1;a\r\n")
    (outcome,) = files.land(contracts=contract(tmp_path, {"id": ID, "title": "varchar"}))
    assert (outcome.rows_in_file, landed(files, "title")) == (1, ["a"])


def test_a_column_is_known_by_any_of_its_forms_and_by_the_names_that_the_contract_lists(
    files: Extracts, tmp_path: Path
):
    names = ["CreatedDate", "created_date", "CREATED_DATE", "Created Date", "created-date", "Создано"]
    for number, name in enumerate(names):
        files.text(f"deals_{number}.csv", f"ID,{name}\n{number},2026-01-05\n")
    columns = {"id": ID, "created_date": {"data_type": "date", "names": ["Создано"]}}
    outcomes = files.land(contracts=contract(tmp_path, columns))
    assert [outcome.missing_columns for outcome in outcomes] == [[]] * len(names)
    assert landed(files, "created_date") == [date(2026, 1, 5)] * len(names)


NUMBERS = {
    "1234.5": {"plain": "1234.5", "comma": None, "points": None, "us": "1234.5"},
    "1234,5": {"plain": None, "comma": "1234.5", "points": "1234.5", "us": None},
    "1 234,5": {"plain": None, "comma": "1234.5", "points": None, "us": None},
    "1\u00a0234,50 ₽": {"plain": None, "comma": "1234.5", "points": None, "us": None},
    "1.234,50 €": {"plain": None, "comma": None, "points": "1234.5", "us": None},
    "$1,234.50": {"plain": None, "comma": None, "points": None, "us": "1234.5"},
    "USD 1234.50": {"plain": "1234.5", "comma": None, "points": None, "us": "1234.5"},
    "-12 000": {"plain": "-12000", "comma": "-12000", "points": None, "us": None},
    "−5": {"plain": "-5", "comma": "-5", "points": "-5", "us": "-5"},
    "1,234": {"plain": None, "comma": None, "points": None, "us": "1234"},  # with a decimal comma, a digit too many
    "1.234": {"plain": None, "comma": None, "points": "1234", "us": None},
    "1,2,3": {"plain": None, "comma": None, "points": None, "us": None},
    "12 34": {"plain": None, "comma": None, "points": None, "us": None},
    "12 k": {"plain": None, "comma": None, "points": None, "us": None},
    "5%": {"plain": None, "comma": None, "points": None, "us": None},
    "nan": {"plain": None, "comma": None, "points": None, "us": None},
}
NOTATIONS = {
    "plain": {},
    "comma": {"decimal": ","},
    "points": {"decimal": ",", "thousands": "."},
    "us": {"thousands": ","},
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_numbers_are_read_as_declared_exactly_or_set_aside(files: Extracts, tmp_path: Path, notation):
    files.text("deals.csv", "id\tamount\n" + "".join(f"{n}\t{text}\n" for n, text in enumerate(NUMBERS)))
    columns = {"id": ID, "amount": "decimal(18,2)"}
    files.land(contracts=contract(tmp_path, columns, delimiter="\t", **NOTATIONS[notation]))
    read = dict(files.query("select id::integer, amount from raw_x.deals"))
    for number, (text, expected) in enumerate(NUMBERS.items()):
        wanted = None if expected[notation] is None else Decimal(expected[notation])
        assert (text, read.get(number)) == (text, wanted)
    assert {reason for *_, reason in rejects(files)} <= {"not a decimal(18,2)", "has more digits than decimal(18,2)"}


MOMENTS = {
    "2026-01-05": datetime(2026, 1, 4, 21),
    "2026-01-05 10:00": datetime(2026, 1, 5, 7),
    "2026-01-05T10:00:00.250+05:00": datetime(2026, 1, 5, 5, 0, 0, 250000),
    "2026-01-05T10:00+05": None,
    "2026-01-05T10:00:00Z": datetime(2026, 1, 5, 10),
    "05.01.2026 09:20": datetime(2026, 1, 5, 6, 20),
    "05.01.26": datetime(2026, 1, 4, 21),
    "05.01.2026": datetime(2026, 1, 4, 21),
    "02/23/26 08:55 PM": datetime(2026, 2, 23, 17, 55),
    "1767600000": datetime(2026, 1, 5, 8),
    "1767600000250": datetime(2026, 1, 5, 8, 0, 0, 250000),
    "1-2-3": None,
    "epoch": None,
    "infinity": None,
    "31.02.2026": None,
    "2026-01-05 10:00 or later": None,
}


def test_times_in_several_formats_are_read_in_the_declared_zone(files: Extracts, tmp_path: Path):
    files.text("deals.csv", "id,at\n" + "".join(f"{n},{text}\n" for n, text in enumerate(MOMENTS)))
    formats = [
        "iso",
        "%d.%m.%Y %H:%M",
        "%d.%m.%Y",
        "%d.%m.%y",
        "%m/%d/%y %I:%M %p",
        "epoch_seconds",
        "epoch_milliseconds",
    ]
    columns = {"id": ID, "at": "timestamp"}
    files.land(contracts=contract(tmp_path, columns, time_zone="Europe/Moscow", timestamp_formats=formats))
    read = dict(files.query('select id::integer, "at" from raw_x.deals'))
    assert {text: read.get(n) for n, text in enumerate(MOMENTS)} == MOMENTS


def test_a_local_time_that_clocks_show_twice_is_the_first(files: Extracts, tmp_path: Path):
    files.text("deals.csv", "id,at\n1,2025-10-26 02:30:00\n2,2025-03-30 12:00:00\n")
    columns = {"id": ID, "at": {"data_type": "timestamp", "time_zone": "Europe/Berlin"}}
    files.land(contracts=contract(tmp_path, columns))
    assert landed(files, '"at"') == [datetime(2025, 10, 26, 0, 30), datetime(2025, 3, 30, 10)]


def test_a_date_that_two_declared_formats_read_differently_is_set_aside(files: Extracts, tmp_path: Path):
    files.text("deals.csv", "id,on\n1,13/02/2025\n2,01/02/2025\n3,02/13/2025\n4,05/05/2025\n5,2025-01-02\n")
    columns = {"id": ID, "on": "date"}
    files.land(contracts=contract(tmp_path, columns, date_formats=["%d/%m/%Y", "%m/%d/%Y", "iso"]))
    assert landed(files, '"on"') == [date(2025, 2, 13), date(2025, 2, 13), date(2025, 5, 5), date(2025, 1, 2)]
    ((line, column, value, reason),) = rejects(files)
    assert (line, column, value) == (3, "on", "01/02/2025")
    assert "may be two days" in reason


def test_a_days_midnight_is_a_day_and_any_other_time_is_none(files: Extracts, tmp_path: Path):
    times = ["2026-01-05T00:00:00+03:00", "2026-01-05T03:00:00+03:00", "05.01.2026 00:00", "2026-01-05T02:00:00+03:00"]
    files.text("deals.csv", "id,on\n" + "".join(f"{n},{text}\n" for n, text in enumerate(times)))
    contracts = contract(tmp_path, {"id": ID, "on": "date"}, timestamp_formats=["iso", "%d.%m.%Y %H:%M"])
    files.land(contracts=contracts)
    assert landed(files, '"on"') == [date(2026, 1, 5)] * 3
    assert [reason for *_, reason in rejects(files)] == ["is a time, not a date"]


def test_null_words_are_null_only_where_they_are_declared(files: Extracts, tmp_path: Path):
    files.text("deals.csv", "id,amount,title\n1,N/A,N/A\n2, - ,-\n")
    columns = {"id": ID, "amount": {"data_type": "decimal(18,2)", "null_words": ["n/a", "-"]}, "title": "varchar"}
    files.land(contracts=contract(tmp_path, columns))
    assert (landed(files, "amount"), landed(files, "title")) == ([None, None], ["N/A", "-"])


def test_ids_land_exact_or_not_at_all(files: Extracts, tmp_path: Path):
    contracts = contract(tmp_path, {"id": ID}, key=["id"])
    files.text("deals_1.csv", 'id\n1234567890123456789\n1.23457E+18\n"1,23E+05"\n')
    files.text("deals_2.jsonl", '{"id": 9007199254740993}\n{"id": 12345678901234567890123}\n')
    path = files.path("deals_3.parquet")
    duckdb.sql(f"copy (select unnest([12345::double, 1234567890123456789::double]) as id) to '{path}' (format parquet)")
    files.land(contracts=contracts)
    assert landed(files, "id") == ["1234567890123456789", "9007199254740993", "12345678901234567890123", "12345"]
    assert [reason[:30] for *_, reason in rejects(files)] == [
        "an id that a spreadsheet has s",
        "an id that a spreadsheet has s",
        "has more digits than a float k",
    ]


def test_a_json_number_that_was_rounded_while_it_was_read_is_set_aside(files: Extracts, tmp_path: Path):
    files.text("deals.jsonl", '{"id": 1, "amount": 1234567890123456.78}\n{"id": 2, "amount": 12.5}\n')
    files.land(contracts=contract(tmp_path, {"id": ID, "amount": "decimal(18,2)"}))
    assert landed(files, "amount") == [Decimal("12.5")]


PAGES = {
    "one page": {"result": [{"ID": 1}, {"ID": 2}], "total": 2},
    "a page of items": {"result": {"items": [{"ID": "1"}, {"ID": "2"}]}},
    "a list of pages": [{"result": [{"ID": 1}]}, {"result": []}, {"result": {"items": [{"ID": 2}]}}],
    "embedded": {"_embedded": {"leads": [{"id": 1}, {"id": 2}]}},
    "a batch": {"result": {"result": {"a": [{"ID": 1}], "b": [], "c": [{"ID": 2}]}}},
    "a batch of rows": {"result": {"result": {"1": {"ID": 1}, "2": {"ID": 2}}}},
    "a batch of pages": {"batch": {"a": {"items": [{"ID": 1}]}, "b": {"items": [{"ID": 2}]}, "c": []}},
    "bare rows": [{"id": 1}, {"id": 2}],
}
NO_ROWS = [
    {"result": []},
    {"result": {}},
    {"result": None},
    {"result": {"items": []}},
    {"_embedded": {}},
    [],
    {"result": {"result": []}},
]
ROWS_AT = ["batch.*.items", "result.items", "result.result", "result", "_embedded.leads"]


def test_rows_are_found_in_the_pages_of_an_api(files: Extracts, tmp_path: Path):
    shapes = [(name, indent) for name in PAGES for indent in (None, 2)]
    for number, (name, indent) in enumerate(shapes):
        files.text(f"crm.deal.list_{number:02}.json", json.dumps(PAGES[name], indent=indent))
    contracts = contract(tmp_path, {"id": ID}, rows_at=ROWS_AT, files=["crm.deal.list"])
    outcomes = files.land(contracts=contracts)
    rows = {shape: outcome.rows_in_file for shape, outcome in zip(shapes, outcomes, strict=True)}
    assert rows == dict.fromkeys(shapes, 2)
    assert landed(files, "id") == ["1", "2"]


def test_an_empty_page_is_no_fault(files: Extracts, tmp_path: Path):
    for number, page in enumerate(NO_ROWS):
        files.text(f"deals_{number}.json", json.dumps(page))
    outcomes = files.land(contracts=contract(tmp_path, {"id": ID}, rows_at=ROWS_AT))
    assert [(o.reason, o.rows_in_file) for o in outcomes] == [(None, 0)] * len(NO_ROWS)


def test_an_answer_that_is_an_error_is_no_page(files: Extracts, tmp_path: Path):
    files.text("deals.json", '{"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}')
    (outcome,) = files.land(contracts=contract(tmp_path, {"id": ID}, rows_at=ROWS_AT))
    assert (outcome.status, "column id is missing" in outcome.reason) == ("refused", True)


def test_pages_a_line_and_a_cut_document(files: Extracts, tmp_path: Path):
    contracts = contract(tmp_path, {"id": ID, "tags": "varchar"}, rows_at=ROWS_AT)
    files.text(
        "deals_1.jsonl", '{"result": [{"ID": 1, "tags": {"a": [1]}}]}\n{"result": []}\n{"result": [{"ID": 2}]}\n'
    )
    files.text("deals_2.json", json.dumps([{"id": n} for n in range(100)])[:-20])
    files.text("deals_3.json", '{"result": [{"ID": 3}, {"ID"')
    outcomes = files.land(contracts=contracts)
    assert [outcome.status for outcome in outcomes] == ["landed", "refused", "refused"]
    assert files.query("select id, tags from raw_x.deals order by 1") == [("1", '{"a":[1]}'), ("2", None)]


@pytest.mark.parametrize("since_1904", [False, True])
def test_a_workbook_lands_with_its_dates_ids_and_numbers(files: Extracts, tmp_path: Path, since_1904):
    day_0 = date(1904, 1, 1) if since_1904 else date(1899, 12, 30)
    day = (date(2026, 1, 5) - day_0).days
    rows = [
        ["Our deals"],
        [],
        ["Deal ID", "Amount", "On", "At"],
        [12345, 1500.5, day, day + 0.75],
        [],
        ["77", "1 000,50", "05.01.2026", None],
        [78, 1.5, "someday", None],
    ]
    write_workbook(files.path("export.xlsx"), {"Deals": rows, "Notes": [["x"]]}, since_1904)
    columns = {"deal_id": ID, "amount": "decimal(18,2)", "on": "date", "at": "timestamp"}
    outcomes = files.land(contracts=contract(tmp_path, columns, decimal=",", date_formats=["%d.%m.%Y"]))
    assert [(o.file.name.partition("/")[2], o.status) for o in outcomes] == [
        ("2026-01-31/export.xlsx#Deals", "landed"),
        ("2026-01-31/export.xlsx#Notes", "ignored"),
    ]
    assert files.query(
        "select * exclude (_extra) from (select columns(c -> c not like '\\_%' escape '\\') , _extra from raw_x.deals)"
    ) == [
        ("12345", Decimal("1500.50"), date(2026, 1, 5), datetime(2026, 1, 5, 18)),
        ("77", Decimal("1000.50"), date(2026, 1, 5), None),
    ]
    assert rejects(files) == [(7, "on", "someday", "not a date")]


@pytest.mark.parametrize(
    ("sheet", "reason"),
    [
        ([["id", "title"], [1, "a", "b"]], "row 2 holds 'b' in column 3, which has no name"),
        ([["title"], ["a"]], "column id is missing"),
        ([], "cannot be read"),
    ],
)
def test_a_sheet_that_cannot_be_trusted_is_refused(files: Extracts, tmp_path: Path, sheet, reason):
    write_workbook(files.path("deals.xlsx"), {"Sheet1": sheet})
    (outcome,) = files.land(contracts=contract(tmp_path, {"id": ID, "title": "varchar"}))
    assert (outcome.status, reason in outcome.reason) == ("refused", True), outcome.reason


def test_a_cut_workbook_is_refused(files: Extracts, tmp_path: Path):
    path = write_workbook(files.path("deals.xlsx"), {"deals": [["id"], *([n] for n in range(1000))]})
    path.write_bytes(path.read_bytes()[:-300])
    (outcome,) = files.land(contracts=contract(tmp_path, {"id": ID}))
    assert (outcome.status, "may have been cut" in outcome.reason) == ("refused", True)


@pytest.mark.parametrize(
    ("columns", "meta", "message"),
    [
        ({"id": "varchar"}, {"date_format": ["iso"]}, "no setting date_format; did you mean date_formats"),
        ({"id": "varchar"}, {"date_formats": ["dd.mm.yyyy"]}, "neither a format like %d"),
        ({"id": "varchar"}, {"time_zone": "Mars/Olympus"}, "no time zone is called"),
        ({"id": "varchar"}, {"encoding": "runes"}, "no encoding is called"),
        ({"id": "varchar"}, {"decimal": ",", "thousands": ","}, "both ','"),
        ({"id": "varchar"}, {"rows_at": ["$.x[*]"]}, "no path like result.items"),
        ({"id": "varchar", "no": {"data_type": "varchar", "names": ["ID"]}}, {}, "names both id and no"),
        ({"id": "varchar"}, {"freshness": {"error_after": {"count": 3}}}, "needs a count and a period"),
    ],
)
def test_a_contract_that_makes_no_sense_is_refused(tmp_path: Path, columns, meta, message):
    with pytest.raises(ContractError, match=message):
        contract(tmp_path, columns, **meta)
