"""The extract with planted defects: a few rows of its shape made by hand, and the real one if it is there."""

import os
from pathlib import Path

import pytest

from examples.planted_defects.__main__ import DEFECTS, outcomes

REAL = os.environ.get("INFLIGHT_DEFECTS_SOURCE")

FILES = {
    "deals": """deal_id,created_at,updated_at,stage_id,manager_id,company_id,source,expected_amount,currency,closed_at
1,2026-06-01T09:00:00+05:00,2026-06-02T09:00:00+05:00,WON,u1,c1,Avito,10.00,RUB,
2,14.06.2026 09:20,2026-06-15T09:00:00+05:00,LIMBO,,c1,АВИТО,-5.00,,
3,2026-06-01T09:00:00+05:00,2026-06-02T09:00:00+05:00,NEW,u1,c1,phone,7.00,RUB,
3,2026-06-01T09:00:00+05:00,2026-06-03T09:00:00+05:00,NEW,u1,c1,phone,8.00,RUB,
"""
    + "".join(f"{n},2026-06-01,2026-06-02,NEW,u1,c1,phone,1.00,RUB,\n" for n in range(10, 30)),
    "stage_history": """event_id,deal_id,new_stage_id,changed_at
e1,1,NEW,2026-06-01T09:00:00+05:00
e1,1,NEW,2026-06-01T09:00:00+05:00
e2,99,NEW,2026-06-01T09:00:00+05:00
""",
    "activities": "activity_id,deal_id,completed\na1,99,true\n",
    "companies": "company_id,name\nc1,\n",
    "contacts": "contact_id,company_id\np1,c9\n",
    "payments": "payment_id,deal_id,payment_date,amount\np1,1,2026/06/15,-5.00\n",
    "pipeline_stages": "pipeline_id,stage_id,sort_order,is_final,is_success\np,NEW,1,false,false\np,WON,2,true,true\n",
}

EXPECTED = {
    "one deal twice, with different values": [
        "3 of 7.00 set aside: another row of this file has the same key and other values; the newer one landed; "
        "landed: 8.00"
    ],
    "one event twice, word for word": ["stage_history: 1 dropped as a repeat"],
    "a time in another format": ["2 created at 2026-06-14 04:20:00 UTC"],
    "a day in another format": ["p1 paid on 2026-06-15"],
    "a deal that is not there": [
        "landed, no such deal: activity of 99",
        "landed, no such deal: stage change of 99",
    ],
    "a company that is not there": ["landed, no such company: contact p1 of c9"],
    "a stage that no pipeline has": ["landed, no such stage: 2 in LIMBO"],
    "one channel in several spellings": ["landed as written: Avito, АВИТО"],
    "a negative amount": ["landed: deal 2 of -5.00", "landed: payment p1 of -5.00"],
    "an amount without currency": ["landed, currency null: 2"],
    "a deal won without a closing time": ["landed, closed_at null: 1"],
    "a company or a user without a name": ["landed, manager null: deal 2", "landed, name null: company c1"],
    "stage history for few deals": ["1 of 23 deals have a history"],
}


def test_every_planted_defect_goes_where_it_should(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / f"{name}.csv").write_text(text)
    assert outcomes(tmp_path) == EXPECTED


@pytest.mark.skipif(not REAL, reason="INFLIGHT_DEFECTS_SOURCE names no folder with the extract")
def test_the_real_extract_holds_every_defect_and_loses_none() -> None:
    found = outcomes(Path(REAL))
    for defect, lines in found.items():
        print(defect, *lines, sep="\n    ")
    assert found.keys() == DEFECTS.keys()
    assert all(found.values())
    assert "D1008 of 68000.00 set aside" in found["one deal twice, with different values"][0]
