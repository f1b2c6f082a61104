"""Any table, written in any way, damaged or not: rows add up, no value changes, nothing is raised."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.defs.landing.ledger import Outcome
from orchestration.settings import Settings
from tests.python.conftest import Extracts, contract

HOSTILE = [
    "'; drop table landing.files; --",
    '"; drop table raw_x.deals; --',
    "=cmd|' /C calc'!A0",
    "+1+cmd()",
    "../../../etc/passwd",
    "$.id",
    "/id",
    "{{ ref('x') }}",
    "\\N",
    "%s%n",
    "f0",
    "n",
    "line",
    "_extra",
    "_load_id",
    "raw_id",
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251"]
NULL_WORDS = ["-", "N/A", "NULL"]

letters = st.characters(codec="cp1251", exclude_categories=["Cc", "Cf", "Zl", "Zp"])
texts = st.one_of(
    st.text(letters, min_size=1, max_size=8),
    st.sampled_from([*HOSTILE, 'a "quoted" one', "a,b;c\td|e", "two\nlines", "two\r\nlines", " padded ", "x" * 3000]),
)
names = st.one_of(texts.map(str.strip), st.sampled_from(HOSTILE)).filter(bool)
cells = st.one_of(st.none(), texts, st.sampled_from([*NULL_WORDS, "12.50", "1e3", "2026-01-05", "true"]))


@st.composite
def tables(draw) -> tuple[list[str], list[list]]:
    """Columns id, title, amount and one that no contract knows; rows of text."""
    extra = draw(names.filter(lambda name: name.lower().replace(" ", "_") not in ("id", "title", "amount")))
    row = st.tuples(st.one_of(st.none(), st.sampled_from("abc"), texts), cells, cells, cells)
    return ["id", "title", "amount", extra], draw(st.lists(row, min_size=1, max_size=6))


def write(form: str, names: list[str], rows: list, delimiter: str, quoting: int, line_end: str) -> str:
    if form == "csv":
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
        writer.writerow(names)
        writer.writerows(["" if value is None else value for value in row] for row in rows)
        return out.getvalue()
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    if form == "jsonl":
        return "".join(json.dumps(each, ensure_ascii=False) + line_end for each in objects)
    return json.dumps({"result": {"items": objects}} if form == "page" else objects, ensure_ascii=False)


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory):
    columns = {"id": {"data_type": "varchar", "required": True}, "title": "varchar", "amount": "decimal(18,2)"}
    return contract(
        tmp_path_factory.mktemp("contract"),
        columns,
        encoding="windows-1251",
        null_words=NULL_WORDS,
        rows_at=["result.items"],
    )


any_settings = hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
formats = st.sampled_from(["csv", "jsonl", "json", "page"])
written = {
    "table": tables(),
    "form": formats,
    "encoding": st.sampled_from(ENCODINGS),
    "delimiter": st.sampled_from([",", ";", "\t", "|"]),
    "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    "line_end": st.sampled_from(["\n", "\r\n"]),
    "is_zipped": st.booleans(),
}


def land(folder: Path, contracts, form: str, data: bytes, is_zipped: bool) -> tuple[Extracts, Outcome]:
    files = Extracts(Settings(folder), "x")
    ending = {"csv": ".csv", "jsonl": ".jsonl"}.get(form, ".json") + (".gz" if is_zipped else "")
    files.data("deals" + ending, gzip.compress(data) if is_zipped else data)
    (outcome,) = files.land(contracts=contracts)
    assert outcome.rows_in_file == outcome.rows_landed + outcome.rows_set_aside + outcome.rows_repeated
    assert files.query("select count(*) from landing.rejects") == [(outcome.rows_set_aside,)]
    assert files.query("select count(*) from raw_x.deals") == [(outcome.rows_landed,)]
    assert files.query("select count(*) from landing.files") == [(1,)]
    return files, outcome


@any_settings
@given(**written)
def test_rows_add_up_and_no_value_changes_however_they_are_written(
    tmp_path_factory, contracts, table, form, encoding, delimiter, quoting, line_end, is_zipped
):
    names, rows = table
    text = write(form, names, rows, delimiter, quoting, line_end)
    files, outcome = land(tmp_path_factory.mktemp("any"), contracts, form, text.encode(encoding), is_zipped)
    assert outcome.status == "landed", outcome.reason
    assert outcome.rows_in_file == len(rows)

    def value(text):
        if text is None or text.strip().lower() in map(str.lower, NULL_WORDS):
            return None
        return None if form == "csv" and text == "" else text

    given_rows = {(value(row[0]), value(row[1]), row[3] if form != "csv" else row[3] or None) for row in rows}
    found = files.query("select id, title, _extra from raw_x.deals")
    extras = {(key, title, json.loads(extra)[names[3]] if extra else None) for key, title, extra in found}
    assert extras <= given_rows
    kept = {json.loads(raw)["id"] for (raw,) in files.query("select raw_text from landing.rejects where is_row")}
    assert kept <= {row[0] for row in rows}


@any_settings
@given(
    **written,
    damage=st.sampled_from(["cut", "garbled", "dropped"]),
    place=st.floats(0.02, 0.98),
    noise=st.binary(min_size=1, max_size=4),
)
def test_a_damaged_file_raises_nothing_and_rows_still_add_up(
    tmp_path_factory, contracts, table, form, encoding, delimiter, quoting, line_end, is_zipped, damage, place, noise
):
    names, rows = table
    data = write(form, names, rows, delimiter, quoting, line_end).encode(encoding)
    at = int(len(data) * place)
    data = {"cut": data[:at], "garbled": data[:at] + noise + data[at:], "dropped": data[:at] + data[at + 3 :]}[damage]
    files, outcome = land(tmp_path_factory.mktemp("damaged"), contracts, form, data or b" ", is_zipped)
    assert outcome.status in ("landed", "refused")
    assert outcome.status == "landed" or outcome.reason
    given_ids = {row[0] for row in rows}
    if damage == "cut" and outcome.status == "landed" and form != "csv":
        assert {key for (key,) in files.query("select id from raw_x.deals")} <= given_ids
