"""A night as of an earlier day reads what was there then, and nothing else."""

from datetime import date, datetime, time
from pathlib import Path

import pytest

from orchestration.defs.landing.as_of import date_back
from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.land import open_warehouse
from orchestration.lock import Busy, nightly_lock
from orchestration.look_back import folder_as_of, moment_of
from orchestration.settings import AS_OF, Settings
from tests.python.conftest import Extracts

RAW = "select * exclude (_load_id, _superseded_load_id) from raw_generic.deals order by all"
FILES = "select path, extracted_at, status, rows_landed from landing.files order by all"
JANUARY_15 = datetime.combine(date(2026, 1, 15), time.max)


@pytest.fixture
def as_of(monkeypatch: pytest.MonkeyPatch):
    def look_back_to(moment: datetime) -> None:
        monkeypatch.setenv(AS_OF, moment.isoformat())

    return look_back_to


def test_what_lands_is_what_would_have_landed_had_the_later_files_not_come(tmp_path: Path, as_of):
    def write(name: str, days: list[str]) -> Extracts:
        extracts = Extracts(Settings(tmp_path / name))
        for day in days:
            extracts.deals({"stage": day}, {"deal_id": day}, day=day)
        extracts.csv("users.csv", [{"user_id": "1"}], day=days[-1])
        return extracts

    days = ["2026-01-10", "2026-01-12", "2026-01-15", "2026-01-16", "2026-02-01"]
    then = write("then", days[:3])
    then.csv("users.csv", [{"user_id": "1"}], day="2026-01-15")
    all_of_them = write("all", days)
    all_of_them.csv("users.csv", [{"user_id": "1"}], day="2026-01-15")
    then.land()
    as_of(JANUARY_15)
    all_of_them.land()
    assert all_of_them.query(RAW) == then.query(RAW)
    assert all_of_them.query(FILES) == then.query(FILES)


def test_before_the_first_extract_the_first_one_lands_dated_back(extracts: Extracts, as_of):
    extracts.deals({"stage": "a"}, day="2026-02-01")
    extracts.csv("users.csv", [{"user_id": "1"}], day="2026-02-03")  # came with a later extract for the first time
    extracts.deals({"stage": "b"}, day="2026-02-03")
    as_of(JANUARY_15)
    extracts.land()
    with open_warehouse(extracts.settings) as con:
        assert date_back(con, load_contracts(), JANUARY_15) == ["generic"]
        assert date_back(con, load_contracts(), JANUARY_15) == ["generic"]
    assert extracts.query("select stage, _extracted_at from raw_generic.deals") == [("a", JANUARY_15)]
    assert extracts.query("select entity, extracted_at from landing.files order by 1") == [
        ("deals", JANUARY_15),
        ("users", JANUARY_15),
    ]


def test_nothing_is_rewound_where_an_extract_was_taken_by_then(extracts: Extracts, as_of):
    extracts.deals({}, day="2026-01-01")
    extracts.csv("users.csv", [{"user_id": "1"}], day="2026-02-03")
    as_of(JANUARY_15)
    extracts.land()
    with open_warehouse(extracts.settings) as con:
        assert date_back(con, load_contracts(), JANUARY_15) == []
    assert extracts.query("select count(*) from raw_generic.users") == [(0,)]  # nobody had extracted them


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-15", JANUARY_15),
        ("2026-01-15T00:00:00", datetime(2026, 1, 15)),
        ("2026-01-15T02:00:00+03:00", datetime(2026, 1, 14, 23)),
    ],
)
def test_a_day_means_its_end_and_a_time_is_utc(text: str, moment: datetime):
    assert moment_of(text) == moment


def test_the_folder_is_made_anew_and_what_bi_sees_stays(extracts: Extracts, monkeypatch: pytest.MonkeyPatch):
    for name in ("INFLIGHT_DATA", "DAGSTER_HOME", "DBT_TARGET_PATH", "DBT_LOG_PATH", "PATH", AS_OF):
        monkeypatch.setenv(name, "x")
    extracts.deals({})
    extracts.settings.published.mkdir(parents=True)
    (extracts.settings.published / "shown").touch()
    own = folder_as_of(extracts.settings, JANUARY_15)
    (own.data / "left_over").mkdir()
    own = folder_as_of(extracts.settings, JANUARY_15)
    assert own.data == extracts.settings.data / "as_of" / "2026-01-15"
    assert not (own.data / "left_over").exists()
    assert [path.name for path in own.extracts.rglob("*.csv")] == ["deals.csv"]
    assert (extracts.settings.published / "shown").exists()
    assert Settings.from_env() == own and own.as_of == JANUARY_15
    with nightly_lock(own), pytest.raises(Busy):
        folder_as_of(extracts.settings, JANUARY_15)
    assert extracts.settings.at(datetime(2026, 1, 15, 12)).data.name == "2026-01-15T120000"
