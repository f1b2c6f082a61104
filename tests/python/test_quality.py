"""The gates: what they stop, what they let through, and that their reports can be read offline."""

from collections.abc import Iterable

import duckdb
import pytest

from orchestration.defs.quality import gate_1, gate_2
from orchestration.defs.quality.expectations import Batch, Finding, validate
from orchestration.defs.warehouse.project import not_compared
from orchestration.settings import Settings
from tests.python.conftest import Extracts


def findings_of_gate_1(extracts: Extracts) -> list[Finding]:
    return validate(extracts.settings.warehouse, "gate_1", gate_1.batches(), extracts.settings.quality)


def test_expectations_that_read_data_work_on_duckdb(tmp_path):
    """Great Expectations reads rows after it has closed the connection; the dialect must have them by then."""
    from great_expectations import expectations as gxe

    with duckdb.connect(str(tmp_path / "x.duckdb")) as con:
        con.execute("create table t as select range as i from range(10)")
    batch = Batch("t", [gxe.ExpectTableRowCountToBeBetween(min_value=11, description="eleven rows")])
    (finding,) = validate(tmp_path / "x.duckdb", "gate", [batch], tmp_path)
    assert finding.message == "eleven rows, but it is 10"
    duckdb.connect(str(tmp_path / "x.duckdb")).close()  # nothing is left open


def test_an_expectation_that_cannot_run_is_an_error_not_a_pass(tmp_path):
    from great_expectations import expectations as gxe

    with duckdb.connect(str(tmp_path / "x.duckdb")) as con:
        con.execute("create table t as select 1 as i")
    batch = Batch("t", [gxe.ExpectColumnMeanToBeBetween(column="gone", min_value=1, description="x")])
    with pytest.raises(RuntimeError, match="could not be run"):
        validate(tmp_path / "x.duckdb", "gate", [batch], tmp_path)


def test_a_first_night_passes(extracts: Extracts):
    extracts.deals({"deal_id": "1"}, {"deal_id": "2"})
    extracts.land(accepted=False)
    assert findings_of_gate_1(extracts) == []


def test_a_full_extract_that_shrank_is_stopped_and_a_delta_is_not(extracts: Extracts):
    extracts.deals(*({"deal_id": str(n)} for n in range(100)), day="2026-01-01")
    extracts.land()
    extracts.deals({"deal_id": "1", "stage": "b"}, day="2026-01-02", name="deals.delta.csv")
    extracts.land(accepted=False)
    assert findings_of_gate_1(extracts) == []
    extracts.deals({"deal_id": "1", "stage": "c"}, day="2026-01-03")
    extracts.land(accepted=False)
    (finding,) = findings_of_gate_1(extracts)
    assert finding.rows[0]["path"] == "generic/2026-01-03/deals.csv"
    assert (finding.rows[0]["rows_in_extract"], finding.rows[0]["rows_before"]) == (1, 100)


def test_parts_of_one_extract_count_together(extracts: Extracts):
    extracts.deals(*({"deal_id": str(n)} for n in range(100)), day="2026-01-01")
    extracts.land()
    for part in range(2):
        changed = ({"deal_id": str(n), "amount": "7.00"} for n in range(part * 50, part * 50 + 50))
        extracts.deals(*changed, day="2026-01-02", name=f"deals.part{part}.csv")
    extracts.land(accepted=False)
    assert findings_of_gate_1(extracts) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: ["id" + lines[0].removeprefix("deal_id"), *lines[1:]], "column deal_id is missing"),
        (lambda lines: [lines[0], *(line.replace("100.00", "much") for line in lines[1:])], "column amount: not a"),
        (lambda lines: [*lines[:50], lines[50][:20]], "the file has been cut"),
        (lambda lines: [], "the file is empty"),
        (lambda lines: lines[:10], "must hold at least 50%"),
    ],
    ids=["missing column", "wrong types", "cut", "empty", "a tenth of the rows"],
)
def test_a_bad_extract_is_stopped_with_its_file_and_the_reason(extracts: Extracts, damage, message):
    extracts.deals(*({"deal_id": str(n)} for n in range(100)), day="2026-01-01")
    extracts.land()
    path = extracts.deals(*({"deal_id": str(n), "stage": "b"} for n in range(100)), day="2026-01-02")
    path.write_text("".join(damage(path.read_text().splitlines(keepends=True))))
    extracts.land(limit=0.05, accepted=False)
    told = [gate_1.in_words(finding.message, row) for finding in findings_of_gate_1(extracts) for row in finding.rows]
    assert any(text.startswith("generic/2026-01-02/deals.csv: ") and message in text for text in told), told


def test_a_refused_file_stops_the_night_until_a_later_full_extract_lands(extracts: Extracts):
    extracts.text("users.csv", "user_name\na\n", day="2026-01-01")
    extracts.land(accepted=False)
    (finding,) = findings_of_gate_1(extracts)
    assert "column user_id is missing" in finding.rows[0]["reason"]
    extracts.csv("users.csv", [{"user_id": "1"}], day="2026-01-02")
    extracts.land(accepted=False)
    assert findings_of_gate_1(extracts) == []


def test_a_column_that_is_suddenly_empty_is_stopped(extracts: Extracts):
    extracts.deals(*({"deal_id": str(n)} for n in range(60)), day="2026-01-01")
    extracts.land()
    extracts.deals(*({"deal_id": str(n), "amount": ""} for n in range(60)), day="2026-01-02")
    extracts.land(accepted=False)
    (finding,) = findings_of_gate_1(extracts)
    assert [(row["entity"], row["column_name"]) for row in finding.rows] == [("deals", "amount")]


def test_values_that_no_earlier_night_had_are_stopped_when_they_are_many(extracts: Extracts):
    extracts.deals(*({"deal_id": str(n)} for n in range(60)), day="2026-01-01")
    extracts.land()
    few = ({"deal_id": str(n), "stage": "Renamed" if n < 5 else "Qualification"} for n in range(60))
    extracts.deals(*few, day="2026-01-02")
    extracts.land(accepted=False)
    assert findings_of_gate_1(extracts) == []
    extracts.deals(*({"deal_id": str(n), "stage": "Renamed"} for n in range(60)), day="2026-01-03")
    extracts.land(accepted=False)
    (finding,) = findings_of_gate_1(extracts)
    assert finding.rows[0]["new_values"] == "Renamed"


def findings_of_gate_2(
    settings: Settings, tables: dict[str, str], last: dict[str, str], not_compared: Iterable[str] = ()
) -> list[str]:
    """What gate 2 says of marts made by these queries when those were published last."""
    settings.marts.parent.mkdir(parents=True, exist_ok=True)
    settings.published.mkdir(exist_ok=True)
    profiles = settings.warehouse.parent / "profiles.duckdb"
    for made, path in ((last, settings.published_database), (tables, settings.marts)):
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as con:
            for name, query in made.items():
                con.execute(f"create table {name} as {query}")
    gate_2.compare(settings.published_database, sorted(last), None, profiles)
    with duckdb.connect(str(settings.published_database)) as con:
        con.execute(f"attach '{profiles}' as profiles (read_only)")
        con.execute("create table publication_columns as select * from profiles.profile")
    gate_2.compare(settings.marts, sorted(tables), settings.published_database, profiles, not_compared)
    findings = validate(profiles, "gate_2", gate_2.batches(), settings.quality)
    return [gate_2.in_words(finding.message, row) for finding in findings for row in finding.rows]


WHOLE = "select range as i, 'x' as name, 1.0 as amount from range(200)"


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (WHOLE, []),
        (WHOLE.replace("200", "250"), []),
        ("select range as i, 'x' as name, 1.0 as amount from range(99, 199)", ["fct: a mart must have rows"] * 3),
        (WHOLE.replace("'x'", "null"), ["fct.name: a column must be filled"]),
        (WHOLE.replace("1.0", "10.0"), ["fct.amount: a number's mean size must stay near"]),
    ],
    ids=["as it was", "grown", "shrunk", "emptied", "jumped"],
)
def test_gate_2_compares_every_mart_with_the_last_publication(settings: Settings, now, says):
    told = findings_of_gate_2(settings, {"fct": now, "fct_deals": WHOLE}, {"fct": WHOLE, "fct_deals": WHOLE})
    assert len(told) == len(says)
    assert all(text.startswith(start) for text, start in zip(told, says, strict=True)), told


def test_gate_2_does_not_compare_what_people_fill_and_empty(settings: Settings):
    tables = {"queue": f"{WHOLE} limit 10", "fct_deals": WHOLE}
    last = {"queue": WHOLE, "fct_deals": WHOLE}
    assert findings_of_gate_2(settings, tables, last) != []
    assert findings_of_gate_2(settings, tables, last, not_compared=["queue"]) == []


def test_a_figure_whose_leap_is_the_news_stops_no_night(settings: Settings):
    tables = {"fct_deals": WHOLE.replace("1.0", "10.0")}
    assert len(findings_of_gate_2(settings, tables, {"fct_deals": WHOLE})) == 1
    assert findings_of_gate_2(settings, tables, {"fct_deals": WHOLE}, not_compared=["fct_deals.amount"]) == []
    less = {"fct_deals": tables["fct_deals"].replace("200", "90")}
    assert findings_of_gate_2(settings, less, {"fct_deals": WHOLE}, not_compared=["fct_deals.amount"]) != []


def test_evidence_of_a_fault_is_held_against_nothing(models):
    """It doubles in a day or two while an incident is open, which is when BI must not be kept from it."""
    assert {"funnel_monitor.evidence", "funnel_alerts", "indicator_integrity"} <= set(not_compared(models.settings))


def test_gate_2_never_lets_out_an_empty_table_of_deals(settings: Settings):
    assert findings_of_gate_2(settings, {"fct_deals": "select 1 as i limit 0"}, {"other": WHOLE}) != []
    assert findings_of_gate_2(settings, {"dim_users": "select 1 as i limit 0"}, {"other": WHOLE}) == []


def test_reports_need_no_network(extracts: Extracts):
    extracts.text("users.csv", "user_name\na\n")
    extracts.land(accepted=False)
    findings_of_gate_1(extracts)
    pages = list(extracts.settings.quality.rglob("*.html"))
    assert len(pages) >= 4
    for page in pages:
        for attribute in ('src="http', "src='http", '<link rel="stylesheet" href="http'):
            assert attribute not in page.read_text()
    assert "every file must land" in (extracts.settings.quality / "gate_1" / "index.html").read_text()
