"""When a night may be skipped: only when all that it would be made of is what the publication was made of."""

from collections.abc import Callable

import pytest

from orchestration.defs.landing.land import open_warehouse
from orchestration.defs.landing.ledger import accept
from orchestration.defs.publish import standing
from orchestration.defs.publish.publish import publish
from orchestration.defs.publish.standing import Standing
from orchestration.defs.warehouse.project import BuiltFrom
from tests.python.conftest import Extracts
from tests.python.test_publish import make_marts

Night = Callable[[], bool]


@pytest.fixture
def night(extracts: Extracts) -> Night:
    """Land, and say whether what is published stands; if not, build nothing and publish."""

    def run() -> bool:
        settings = extracts.settings
        extracts.land(limit=0.05, accepted=False)
        with open_warehouse(settings) as con:
            Standing(settings).note(con)
            accept(con)  # what was refused stays so
        if Standing(settings).publication():
            return True
        make_marts(settings, 1)
        with open_warehouse(settings) as con:
            con.execute("create or replace view staging.v as select 1 as x")
        BuiltFrom(settings).remember()
        Standing(settings).sign(publish(settings, ["fct_a"], run_id="r", checks_passed=0))
        return False

    return run


def test_a_publication_stands_until_a_file_lands(extracts: Extracts, night: Night):
    extracts.deals({})
    assert not night()
    assert night()
    extracts.deals({"amount": "7.00"}, day="2026-02-01")
    assert not night()
    assert night()


def test_a_file_that_is_refused_is_news_every_night(extracts: Extracts, night: Night):
    extracts.deals({})
    extracts.text("users.csv", "user_name\na\n")
    assert not night()
    assert not night()


def test_a_file_that_is_not_ours_is_news_once(extracts: Extracts, night: Night):
    extracts.deals({})
    assert not night()
    extracts.text("shopping.list", "milk")
    assert not night()
    assert night()


@pytest.mark.parametrize("name", ["built_from", "marts.duckdb", "published_from"])
def test_nothing_stands_without_what_it_was_made_of(extracts: Extracts, night: Night, name: str):
    extracts.deals({})
    night()
    (extracts.settings.warehouse.parent / name).unlink()
    assert not night()


def test_another_publication_than_the_one_signed_does_not_stand(extracts: Extracts, night: Night):
    extracts.deals({})
    night()
    publish(extracts.settings, ["fct_a"], run_id="by hand", checks_passed=0)
    assert not night()


def test_changed_code_is_news_whichever_it_is(extracts: Extracts, night: Night, monkeypatch: pytest.MonkeyPatch):
    extracts.deals({})
    night()
    assert night()
    code = standing.fingerprint(standing.JOB)
    monkeypatch.setattr(standing, "fingerprint", lambda _: f"{code} and a line more")
    assert not night()
