"""The review queue on the command line, and what a verdict costs a night."""

import csv
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from orchestration import review
from orchestration.cli import main
from orchestration.defs.warehouse.project import CODE, fingerprint
from orchestration.settings import PROJECT_DIR, Settings

HEADER = ",".join(review.COLUMNS) + "\n"


@pytest.fixture
def verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "review_verdicts.csv"
    path.write_text(HEADER)
    monkeypatch.setattr(review, "VERDICTS", path)
    return path


@pytest.fixture
def published(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("INFLIGHT_DATA", str(settings.data))
    settings.published.mkdir(parents=True)
    with duckdb.connect(str(settings.published_database)) as con:
        con.execute("""
            create table publication as select timestamp '2026-06-30 23:59:59' as as_of;
            create table dim_deals as
            select * from (values ('x:1', 'atypical'), ('x:2', 'small'), ('x:3', 'own')) as deals (deal_id, segment);
            create table review_queue as
            select * from (values
                ('x:1', 'atypical', 'North', 100.0, 'EUR', 3, 'Which segment?', 'no rule matches', 'open'),
                ('x:2', 'small', 'South', 9000.0, 'EUR', 5, 'Does it count in the norms?', 'amount [big]', 'open'),
                ('x:3', 'own', 'South', 90000.0, 'EUR', 5, null, 'no longer odd', 'decided')
            ) as cases (deal_id, segment, team, amount, currency, age_days, what_to_decide, reasons, status)
        """)
    return settings


def run(*args: str):
    return CliRunner().invoke(main, ["review", *args])


def lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_list_shows_open_cases_the_largest_first(published):
    shown = run("list").output
    assert shown.index("x:2  small, South, 9,000 EUR") < shown.index("x:1  atypical, North, 100 EUR")
    assert "Does it count in the norms? amount [big]; 5 days" in shown
    assert "1 open: Which segment?" in shown
    assert "x:3" not in shown


def test_a_limit_hides_cases_but_not_their_number(published):
    shown = run("list", "--limit", "1").output
    assert "x:1" not in shown
    assert "1 open: Which segment?" in shown


def test_verdicts_are_appended_with_the_day_of_the_data_and_a_number(published, verdicts):
    assert (
        run("decide", "x:1", "--segment", "enterprise", "--by", "Ann", "--note", "a bank, not\nits branch").exit_code
        == 0
    )
    assert run("decide", "x:2", "--typical", "--by", "Bob", "--on", "2026-06-01").exit_code == 0
    assert run("decide", "x:2", "--exclude", "--by", "Bob").exit_code == 0
    assert [tuple(line.values()) for line in lines(verdicts)] == [
        ("1", "x:1", "segment", "enterprise", "2026-06-30", "Ann", "a bank, not its branch"),
        ("2", "x:2", "typical", "", "2026-06-01", "Bob", ""),
        ("3", "x:2", "exclude_from_norms", "", "2026-06-30", "Bob", ""),
    ]


def test_a_file_edited_by_hand_without_a_last_line_end_is_appended_to_all_the_same(published, verdicts):
    verdicts.write_text(HEADER + "7,x:2,typical,,2026-06-01,Ann,")
    run("decide", "x:2", "--exclude", "--by", "Bob")
    assert [line["verdict_number"] for line in lines(verdicts)] == ["7", "8"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["x:9", "--typical", "--by", "Ann"], "no deal 'x:9' is published"),
        (["x:1", "--segment", "huge", "--by", "Ann"], "no segment 'huge'; known are enterprise, mid_market, own"),
        (["x:1", "--segment", "atypical", "--by", "Ann"], "no segment 'atypical'"),
        (["x:1", "--typical", "--by", "Ann"], "say which with --segment"),
        (["x:2", "--typical", "--by", " "], "a verdict needs a name"),
        (["x:2", "--by", "Ann"], "say one of --segment, --typical, --exclude"),
        (["x:2", "--typical", "--exclude", "--by", "Ann"], "say one of --segment, --typical, --exclude"),
        (["x:2", "--typical"], "--by"),
    ],
)
def test_a_verdict_that_cannot_be_taken_says_why_and_writes_nothing(published, verdicts, args, says):
    done = run("decide", *args)
    assert done.exit_code != 0
    assert says in done.output
    assert verdicts.read_text() == HEADER


def test_before_the_first_publication_the_queue_says_what_to_do(settings, monkeypatch):
    monkeypatch.setenv("INFLIGHT_DATA", str(settings.data))
    done = run("list")
    assert done.exit_code == 1
    assert "inflight nightly" in done.output


def test_a_changed_file_of_verdicts_is_a_load_that_does_not_move_as_of(extracts, verdicts):
    extracts.deals({})
    extracts.land()

    def enter() -> int:
        with duckdb.connect(str(extracts.settings.warehouse)) as con:
            return review.land_verdicts(con)

    before = extracts.query("select max(load_id), max(extracted_at) from landing.files")[0]
    assert enter() == 0  # nobody decided anything yet
    verdicts.write_text(HEADER + "1,generic:1,typical,,2026-01-31,Ann,\n")
    assert enter() == 1
    assert enter() == 0  # known by now
    after = extracts.query("select max(load_id), max(extracted_at) from landing.files")[0]
    assert after[0] > before[0]
    assert after[1] == before[1]
    extracts.deals({}, {"deal_id": "2"}, day="2026-02-01")
    extracts.land()  # the next night leaves it
    assert extracts.query("select count(*) from landing.files where crm = 'review'") == [(1,)]


def test_a_verdict_is_data_and_a_rule_is_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from orchestration.defs.warehouse import project

    (tmp_path / "seeds").mkdir()
    for name in ("review_verdicts.csv", "segment_rules.csv"):
        (tmp_path / "seeds" / name).write_bytes((PROJECT_DIR / "seeds" / name).read_bytes())
    monkeypatch.setattr(project, "PROJECT_DIR", tmp_path)
    code = fingerprint(CODE)
    with (tmp_path / "seeds" / "review_verdicts.csv").open("a") as file:
        file.write("1,x:1,typical,,2026-01-31,Ann,\n")
    assert fingerprint(CODE) == code
    with (tmp_path / "seeds" / "segment_rules.csv").open("a") as file:
        file.write("more,60,other,channel,is_not_null,,a channel\n")
    assert fingerprint(CODE) != code
