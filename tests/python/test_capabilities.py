"""What a CRM gives for the first time bears on deals that the night brings nothing else of."""

import duckdb
import pytest

from tests.python.conftest import Extracts
from tests.python.models import dbt

pytestmark = pytest.mark.slow

MARTS = {
    name: f"select * exclude (_load_id) from {name} order by all"
    for name in ("fct_journey_steps", "fct_card_completeness")
}


@pytest.mark.judge
def test_the_first_log_people_and_events_of_a_crm_are_told_of_all_its_deals(extracts: Extracts):
    def run(*args: str) -> dict[str, list[tuple]]:
        dbt(extracts.settings, *args)
        with duckdb.connect(str(extracts.settings.marts), read_only=True) as con:
            return {name: con.execute(sql).fetchall() for name, sql in MARTS.items()}

    won = {"status": "won", "stage": "Won", "closed_at": "2026-01-20 10:00:00"}
    build = (
        "build",
        "--select",
        "+fct_journey_steps",
        "+fct_card_completeness",
        "--exclude",
        "test_type:unit",
        "test_type:data",
    )
    extracts.deals({"deal_id": "1", **won}, {"deal_id": "2", **won}, {"deal_id": "3"})
    extracts.land()
    before = run(*build)

    at = "2026-02-01 10:00:00"
    day = "2026-02-02"
    change = {"deal_id": "1", "field": "amount", "old_value": "1", "new_value": "100.00", "changed_at": at}
    extracts.csv("field_changes.csv", [change], day)
    extracts.csv("revenue_events.csv", [{"deal_id": "1", "kind": "first_use", "occurred_at": at}], day)
    extracts.csv("deal_contacts.csv", [{"deal_id": "1", "contact_id": "9", "added_at": at}], day)
    extracts.land()
    after = run(*build)
    whole = run(*build, "--full-refresh")
    assert after == whole
    others = {name: [row for row in rows if "generic:2" in row] for name, rows in after.items()}
    assert any(others[name] != [row for row in before[name] if "generic:2" in row] for name in MARTS)
