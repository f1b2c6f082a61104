"""The waterfall of random companies against a slow replay, day by day and deal by deal."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.python.models import Models, Warehouse

START = datetime(2026, 2, 20)
DAYS = 60  # over one turn of a quarter
AS_OF = START + timedelta(days=DAYS, hours=-1)
TEAMS = {"x:u1": "North", "x:u2": "North", "x:u3": "South"}
CLOSE_DATES = [None, date(2026, 2, 1), date(2026, 3, 10), date(2026, 4, 5), date(2026, 9, 1), date(2025, 12, 31)]
STAGES = {"lead": "open", "offer": "open", "won": "won", "lost": "lost"}
FLOWS_IN = ["created", "reopened", "pulled_in", "rolled_in", "transferred_in", "increased"]
FLOWS_OUT = ["won", "lost", "pushed_out", "rolled_out", "transferred_out", "decreased"]

GIVEN = {
    "stg_as_of": [{"as_of": AS_OF, "newest_load_id": 1}],
    "dim_dates": [{"date_day": date(2026, 1, 1) + timedelta(days=n)} for n in range(365)],
    "dim_users": [{"user_id": user, "team": team} for user, team in TEAMS.items()],
    "dim_stages": [
        {
            "stage_id": stage,
            "crm": "x",
            "pipeline": "sales",
            "position": n,
            "is_won": stage == "won",
            "is_lost": stage == "lost",
        }
        for n, stage in enumerate(STAGES, start=1)
    ],
}
FILLED = ("dim_deals", "crm_deals", "int_deals_numbered", "crm_field_changes", "fct_stage_visits")


moments = st.integers(0, DAYS * 4 - 2).map(lambda n: START + timedelta(hours=6 * n))
edits = st.one_of(
    st.tuples(moments, st.just("amount"), st.sampled_from([None, 0, 10, 25])),
    st.tuples(moments, st.just("expected_close_date"), st.sampled_from(CLOSE_DATES)),
    st.tuples(moments, st.just("owner_id"), st.sampled_from([None, "u1", "u2", "u3"])),
    st.tuples(moments, st.just("stage"), st.sampled_from(list(STAGES))),
)
deals = st.tuples(
    moments,
    st.sampled_from([None, 5, 10]),
    st.sampled_from(CLOSE_DATES),
    st.sampled_from([None, "u1", "u3"]),
    st.lists(edits, max_size=12, unique_by=lambda edit: edit[:2]),
)


def horizon(close_date: date | None, day: date) -> str:
    if close_date is None:
        return "no_date"
    own, seen = ((d.year, (d.month - 1) // 3) for d in (close_date, day))
    return "earlier_quarter" if own < seen else "later" if own > seen else "this_quarter"


def replay(company) -> tuple[Counter, Counter, Counter, Counter]:
    """Deals, amounts and deals without one by (day, horizon, team) at each day's end; endings by (day, outcome)."""
    count, amount, without, ended = Counter(), Counter(), Counter(), Counter()
    for created, first_amount, first_date, first_owner, edited in company:
        later = sorted(edit for edit in edited if edit[0] > created)  # type: ignore[type-var]
        for n in range(DAYS):
            day = (START + timedelta(days=n)).date()
            now = {"amount": first_amount, "expected_close_date": first_date, "owner_id": first_owner, "stage": "lead"}
            for at, field, value in later:
                if at.date() > day:
                    break
                was_open = STAGES[now["stage"]] == "open"
                now[field] = value
                if field == "stage" and was_open and STAGES[value] != "open" and at.date() == day:
                    ended[day, value] += 1
            if created.date() > day or STAGES[now["stage"]] != "open":
                continue
            team = TEAMS.get(f"x:{now['owner_id']}", "unknown")
            place = (day, horizon(now["expected_close_date"], day), team)
            count[place] += 1
            amount[place] += now["amount"] or 0
            without[place] += now["amount"] is None
    return count, amount, without, ended


def tables(company) -> dict[str, list[dict]]:
    """The rows that the models read of a company."""
    rows: dict[str, list[dict]] = {name: [] for name in FILLED}
    for number, (created, first_amount, first_date, first_owner, edited) in enumerate(company):
        deal = f"d{number}"
        now = {"amount": first_amount, "expected_close_date": first_date, "owner_id": first_owner, "stage": "lead"}
        visits = [("lead", created)]
        for at, field, value in sorted((edit for edit in edited if edit[0] > created), key=lambda edit: edit[:2]):
            old, now[field] = now[field], value
            if field != "stage":
                texts = {"old_value": old, "new_value": value}
                texts = {name: None if one is None else str(one) for name, one in texts.items()}
                rows["crm_field_changes"].append(
                    {"deal_id": deal, "crm": "x", "field": field, "changed_at": at, **texts}
                )
            elif value != old:
                visits.append((value, at))
        ends = [*visits[1:], (None, None)]
        rows["fct_stage_visits"] += [
            {
                "deal_id": deal,
                "_deal_number": number,
                "visit_number": turn,
                "stage_id": stage,
                "next_stage_id": next_stage,
                "entered_at": entered,
                "exited_at": exited,
                "_load_id": 1,
            }
            for turn, ((stage, entered), (next_stage, exited)) in enumerate(zip(visits, ends, strict=True), start=1)
        ]
        rows["int_deals_numbered"].append({"deal_id": deal, "deal_number": number})
        shown = {
            "deal_id": deal,
            "crm": "x",
            "pipeline": "sales",
            "currency": "EUR",
            "status": STAGES[now["stage"]],
            "owner_id": now["owner_id"] and f"x:{now['owner_id']}",
            "amount": now["amount"],
            "expected_close_date": now["expected_close_date"],
            "created_at": created,
        }
        rows["dim_deals"].append({**shown, "segment": "s", "_deal_number": number, "_load_id": 1})
        rows["crm_deals"].append({**shown, "is_deleted": False})
    return rows


@pytest.fixture(scope="module")
def warehouse(models: Models) -> Warehouse:
    return models.warehouse("fct_pipeline_movements", given=[*GIVEN, *FILLED])


@hypothesis_settings(max_examples=4, deadline=None)
@given(company=st.lists(deals, min_size=1, max_size=8))
def test_every_day_closes_with_what_a_replay_of_each_deal_finds(warehouse: Warehouse, company):
    warehouse.build({**GIVEN, **tables(company)})

    def ask(sql: str) -> list[tuple]:
        return [tuple(row.values()) for row in warehouse.rows(sql)]

    count, amount, without, ended = replay(company)
    places = "select date_day, close_horizon, team"
    told = ask(
        f"{places}, closing_deals, closing_amount, deals_without_amount "
        "from fct_pipeline_movements where closing_deals <> 0"
    )
    assert {tuple(row[:3]): row[3] for row in told} == +count
    assert {tuple(row[:3]): row[4] for row in told} == {place: amount[place] for place in count}
    assert {tuple(row[:3]): row[5] for row in told} == {place: without[place] for place in count}
    for outcome in ("won", "lost"):
        days = ask(
            f"select date_day, sum({outcome}_deals) as ended from fct_pipeline_movements group by 1 having ended > 0"
        )
        assert dict(days) == {day: n for (day, name), n in ended.items() if name == outcome}
    assert ask("select sum(created_deals) from fct_pipeline_movements") == [(len(company),)]
    for unit, moving in (("amount", 6), ("deals", 5)):
        flows_in = " + ".join(f"{flow}_{unit}" for flow in FLOWS_IN[:moving])
        flows_out = " + ".join(f"{flow}_{unit}" for flow in FLOWS_OUT[:moving])
        broken = f"opening_{unit} + {flows_in} - ({flows_out}) <> closing_{unit}"
        assert ask(f"{places} from fct_pipeline_movements where {broken}") == []
