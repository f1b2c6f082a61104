"""The steps of random deals against a plain reading of the journey map, deal by deal."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.python.histories import POSITION, STAGES_COMPLETED
from tests.python.models import Models, Warehouse

START = datetime(2026, 1, 5)
DAYS = 60
AS_OF = START + timedelta(days=DAYS)
MAP_CHANGED = date(2026, 1, 25)
FOREVER = datetime(9999, 12, 31)

# step: phase, trigger, what it names, skipped after, proofs that may precede the trigger, proofs that may not
STEPS = {
    "briefing": ("presale", "deal_created", None, "Lead", ["task briefing", "call"], []),
    "offer": ("sale", "stage_entered", "Offer", "Offer", ["task offer"], []),
    "follow_up": ("sale", "step_done", "offer", "Offer", [], ["call"]),
    "review": ("documents", "stage_entered", "Legal", "Legal", ["task review"], []),
    "signing": ("documents", "stage_entered", "Legal", None, ["won"], []),
    "first_use": ("onboarding", "won", None, None, ["first_use"], []),
}
# step: days allowed, by the line in force when it begins
DEADLINES = {
    "briefing": [(date(2020, 1, 1), None, 2)],
    "offer": [(date(2020, 1, 1), None, 6)],
    "follow_up": [(date(2020, 1, 1), None, 4)],
    "review": [(date(2020, 1, 1), MAP_CHANGED, 3), (MAP_CHANGED, None, 9)],
    "signing": [(date(2020, 1, 1), None, 12)],
    "first_use": [(date(2020, 1, 1), None, 10)],
}
PROOFS = ["call", "first_use", "task briefing", "task offer", "task review"]  # a win proves too
KINDS = {"call": ("activity", "call"), "won": ("won", None), "first_use": ("revenue_event", "first_use")}


def kind_of(proof: str) -> tuple[str, str | None]:
    return ("task", proof.removeprefix("task ")) if proof.startswith("task ") else KINDS[proof]


GIVEN = {
    "stg_as_of": [{"as_of": AS_OF, "newest_load_id": 1}],
    "int_stages_completed": STAGES_COMPLETED,
    "int_capabilities_found": [{"crm": "x", "capability": kind} for kind in ("task", "activity", "revenue_event")],
    "journey_map": [
        {
            "version": version,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "segment": "*",
            "phase": phase,
            "step_number": number,
            "step": step,
            "trigger": trigger,
            "trigger_name": named,
            "deadline_amount": days,
            "deadline_unit": "calendar_days",
            "skipped_after_stage": skipped_after,
        }
        for number, (step, (phase, trigger, named, skipped_after, _, _)) in enumerate(STEPS.items(), start=1)
        for version, (valid_from, valid_to, days) in enumerate(DEADLINES[step], start=1)
    ],
    "journey_evidence": [
        {"evidence": step, "kind": kind, "name": name, "may_precede": may_precede, "is_proxy": False}
        for step, (*_, before, after) in STEPS.items()
        for may_precede, proofs in ((True, before), (False, after))
        for kind, name in map(kind_of, proofs)
    ],
}
FILLED = (
    "dim_deals",
    "fct_deals",
    "fct_stage_visits",
    "int_deals_numbered",
    "crm_tasks",
    "crm_activities",
    "crm_deal_contacts",
    "crm_revenue_events",
)
# deadlines are in calendar days here; the business clock has tests of its own
CLOCK = ("int_business_days", "int_business_days_ended", "int_business_slots", "int_deal_owners_versioned")

moments = st.integers(0, DAYS * 4 - 2).map(lambda n: START + timedelta(hours=6 * n))
deals = st.tuples(
    st.integers(0, 60).map(lambda n: START + timedelta(hours=6 * n)),
    st.lists(st.tuples(moments, st.sampled_from(list(POSITION))), max_size=7, unique_by=lambda move: move[0]),
    st.lists(st.tuples(moments, st.sampled_from(PROOFS))),
)
# one deal that has it all, so that everything was once given
EVERYTHING = (START, [], [(START, proof) for proof in PROOFS])


def stays(deal) -> list[tuple[str, datetime, str | None, datetime | None]]:
    """Stage, entered, next stage, left."""
    created, moves, _ = deal
    entered = [("Lead", created)]
    for at, stage in sorted(move for move in moves if move[0] > created):
        if stage != entered[-1][0]:
            entered.append((stage, at))
    return [
        (stage, at, *following) for (stage, at), following in zip(entered, [*entered[1:], (None, None)], strict=True)
    ]


def jumped(stage: str, next_stage: str | None) -> list[str]:
    """The stages that a move forward leaves behind: the one it starts from, and those between."""
    if next_stage is None or "Lost" in (stage, next_stage) or POSITION[stage] > POSITION[next_stage]:
        return []
    return [other for other in ("Lead", "Offer", "Legal") if POSITION[stage] <= POSITION[other] < POSITION[next_stage]]


def read(deal) -> dict[str, tuple]:
    """What became of each step that has begun: status, triggered at, due at, done at."""
    visits = stays(deal)
    stage, last_entered, _, _ = visits[-1]
    told: dict[str, tuple] = {}
    for step, (phase, trigger, named, skipped_after, before, after) in STEPS.items():
        entries = [at for visited, at, _, _ in visits if visited == ("Won" if trigger == "won" else named)]
        if trigger == "deal_created":
            begun = visits[0][1]
        elif trigger == "step_done":
            begun = told[named][3] if named in told else None
        else:
            begun = min(
                entries + [left for visited, _, goes_to, left in visits if named in jumped(visited, goes_to)[1:]],
                default=None,
            )
        if begun is None:
            continue
        [days] = [days for start, end, days in DEADLINES[step] if start <= begun.date() < (end or FOREVER.date())]
        due = begun + timedelta(days=days)
        proofs = deal[2] + [(at, "won") for visited, at, _, _ in visits if visited == "Won"]
        done = min(
            (at for at, proof in proofs if proof in before or (proof in after and at >= begun)),
            default=None,
        )
        passed = [left for visited, _, goes_to, left in visits if skipped_after in jumped(visited, goes_to)]
        ends = ["Lost"] if phase == "onboarding" else ["Lost", "Won"]
        ended = last_entered if stage in ends else None
        if done is not None:
            status = "done_late" if done > due else "done"
        elif any(left >= begun for left in passed):
            status = "skipped"
        elif ended is not None:
            status = "cancelled" if ended <= due else "missed"
        else:
            status = "overdue" if due < AS_OF else "not_yet_due"
        told[step] = (status, begun, due, done)
    return told


def tables(company) -> dict[str, list[dict]]:
    """The rows that the models read of a company."""
    rows: dict[str, list[dict]] = {name: [] for name in FILLED}
    for number, deal in enumerate(company):
        visits, known = stays(deal), {"deal_id": f"d{number}", "_deal_number": number, "_load_id": 1}
        stage, last_entered, _, _ = visits[-1]
        rows["int_deals_numbered"].append({"deal_id": f"d{number}", "deal_number": number})
        rows["dim_deals"].append(
            {**known, "crm": "x", "pipeline": "sales", "segment": "s", "country": "x", "created_at": deal[0]}
        )
        ends = {name: last_entered if stage == end else None for name, end in (("won_at", "Won"), ("lost_at", "Lost"))}
        rows["fct_deals"].append({**known, **ends})
        seen: list[str] = []
        for visited, entered, next_stage, left in visits:
            seen.append(visited)
            rows["fct_stage_visits"].append(
                {
                    **known,
                    "segment": "s",
                    "stage_id": visited,
                    "next_stage_id": next_stage,
                    "entered_at": entered,
                    "exited_at": left,
                    "is_entered_at_exact": True,
                    "stage_visit_number": seen.count(visited),
                }
            )
        for place, (at, proof) in enumerate(deal[2]):
            kind, name = kind_of(proof)
            fact = {"deal_id": f"d{number}", "crm": "x"}
            if kind == "task":
                done = {"completed_at": at, "created_at": at, "is_completed": True}
                rows["crm_tasks"].append({**fact, "task_id": f"{number}-{place}", "task_type": name, **done})
            elif kind == "activity":
                rows["crm_activities"].append({**fact, "activity_type": name, "occurred_at": at})
            else:
                rows["crm_revenue_events"].append({**fact, "kind": name, "occurred_at": at})
    return rows


@pytest.fixture(scope="module")
def warehouse(models: Models) -> Warehouse:
    return models.warehouse("fct_journey_steps", given=[*GIVEN, *FILLED, *CLOCK])


@hypothesis_settings(max_examples=15, deadline=None)
@given(company=st.lists(deals, min_size=20, max_size=60))
def test_each_step_has_the_status_that_a_plain_reading_of_the_map_gives_it(warehouse: Warehouse, company):
    company = [EVERYTHING, *company]
    warehouse.build({**GIVEN, **tables(company)})
    rows = warehouse.rows("select deal_id, step, status, triggered_at, due_at, done_at from fct_journey_steps")
    told = {(row["deal_id"], row["step"]): tuple(row.values())[2:] for row in rows}
    assert len(told) == len(rows)
    assert told == {(f"d{n}", step): found for n, deal in enumerate(company) for step, found in read(deal).items()}
