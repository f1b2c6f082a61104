"""The cards of random deals against a plain reading of what they must hold, deal by deal and moment by moment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise, permutations
from random import Random

import pytest

from tests.python.histories import POSITION, STAGES_COMPLETED
from tests.python.models import Models, Warehouse

START, DAYS = datetime(2026, 1, 5), 60
NIGHTS = [START + timedelta(days=days, hours=12) for days in (8, 20, 21, 35, 50, DAYS)]
AS_OF = NIGHTS[-1]

COLUMNS = ("owner_id", "amount", "product", "loss_reason")
PEOPLE = ("contact", "decision_maker")
# since when, in days, each CRM logs a field of its cards, and what it says of people
LOGGED = {"x": {"amount": 0, "owner_id": 15, "product": 30}, "y": {"product": 20, "loss_reason": 20}, "z": {}}
GIVES = {"x": PEOPLE, "y": ("contact",), "z": ()}
EMPTY = {"x": None, "y": "", "z": None}  # how a CRM writes that a field is empty

Line = tuple[str, str, str, bool, date]
Change = tuple[datetime, str | None, str | None]  # when, from, to
Person = tuple[datetime | None, datetime, bool | None]  # added, first seen, whether they decide


@dataclass
class Deal:
    crm: str
    segment: str
    created: datetime
    stays: list[tuple[str, datetime]]
    seen: list[tuple[datetime, dict[str, str | None]]]  # what each night's extract showed of its columns
    log: dict[str, list[Change]] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)


def draw_moment(draw: Random) -> datetime:
    """Few of them, so that things happen in the same second."""
    return START + timedelta(hours=12 * draw.randrange(DAYS * 2))


def draw_values(draw: Random, empty: str | None) -> list[tuple[datetime, str | None]]:
    """A field's values, each since when; of several in one second none comes back."""
    values: list[tuple[datetime, str | None]] = [(datetime.min, draw.choice([empty, "1"]))]
    for at in sorted({draw_moment(draw) for _ in range(draw.choice([0, 0, 1, 2, 5]))}):
        others = [value for value in (empty, "1", "2", "3") if value != values[-1][1]]
        values += [(at, value) for value in draw.sample(others, draw.choice([1, 1, 2]))]
    return values


def draw_deal(draw: Random) -> Deal:
    crm = draw.choice(list(LOGGED))
    created = START + timedelta(hours=6 * draw.randrange(160))
    entered = [created + timedelta(days=draw.choice([0, 0, 0, 4]))]  # the stage of its first days may not be known
    entered += sorted(at for at in (draw_moment(draw) for _ in range(draw.randrange(7))) if at >= entered[0])
    stays: list[tuple[str, datetime]] = []
    for at in entered:
        # some are in a stage that nobody defined
        stays.append((draw.choice([name for name in [*POSITION, "Gone"] if not stays or name != stays[-1][0]]), at))

    history = {column: draw_values(draw, EMPTY[crm]) for column in COLUMNS}
    nights = [night for night in NIGHTS if night >= created and (night == AS_OF or draw.random() < 0.7)]
    seen = [
        (night, {column: [value for at, value in values if at <= night][-1] for column, values in history.items()})
        for night in nights
    ]
    log: dict[str, list[Change]] = {}
    for column, since in LOGGED[crm].items():
        changes = [(at, old, new) for (_, old), (at, new) in pairwise(history[column])]
        # some were never logged; and some saved what was there
        lost = {at for at, *_ in changes if draw.random() < 0.3}
        log[column] = [change for change in changes if change[0] not in lost]
        log[column] += [(at + timedelta(hours=1), new, new) for at, _, new in log[column] if draw.random() < 0.1]
        log[column] = [change for change in log[column] if change[0] >= START + timedelta(days=since)]
    people = []
    for _ in range(draw.choice([0, 0, 1, 1, 2, 3]) if GIVES[crm] else 0):
        added = draw_moment(draw)
        decides = draw.choice([True, False]) if "decision_maker" in GIVES[crm] else None
        first_seen = next(night for night in NIGHTS if night >= max(added, created))
        people.append((draw.choice([added, added, None]), first_seen, decides))
    return Deal(crm, draw.choice(["small", "large", "rare"]), created, stays, seen, log, people)


def draw_lines(draw: Random) -> list[Line]:
    lines: dict[tuple, bool] = {}
    for _ in range(draw.choice([12, 25, 40])):
        since = draw.choice([date(2020, 1, 1), date(2020, 1, 1), date(2026, 1, 20), date(2026, 2, 10)])
        key = (
            draw.choice(["*", "*", "small", "large"]),
            draw.choice(list(POSITION)),
            draw.choice(COLUMNS + PEOPLE),
            since,
        )
        lines[key] = draw.random() < 0.75
    return [(segment, stage, name, is_required, since) for (segment, stage, name, since), is_required in lines.items()]


def required(lines: list[Line], segment: str, stage: str, entered: datetime) -> frozenset[str]:
    """The fields that a card must hold from an entry into a stage on."""
    told: dict[str, tuple] = {}
    for of_segment, since_stage, name, is_required, since in lines:
        if (
            stage in POSITION
            and of_segment in (segment, "*")
            and (since_stage == "Lost") == (stage == "Lost")
            and POSITION[since_stage] <= POSITION[stage]
            and datetime.combine(since, time.min) <= entered
        ):
            rank = (POSITION[since_stage], of_segment != "*", since, is_required)
            told[name] = max(told.get(name, rank), rank)
    return frozenset(name for name, rank in told.items() if rank[-1])


def in_order(changes: Iterable[Change]) -> list[Change]:
    """By time; of several in one second each begins with what another left."""
    ordered: list[Change] = []
    for at in sorted({change[0] for change in changes}):
        ways = permutations(change for change in changes if change[0] == at)
        ordered += max(ways, key=lambda way: sum(before[2] == after[1] for before, after in pairwise(way)))
    return ordered


def column_at(deal: Deal, name: str, log_began: datetime | None, at: datetime) -> bool | None:
    """Whether a column was filled; None where nobody knows."""
    newest = {column: bool(value) for column, value in deal.seen[-1][1].items()}
    if log_began is None or at < log_began:
        shown = [card for night, card in deal.seen if night <= at]
        return bool(shown[-1][name]) if shown else None
    log = in_order(deal.log.get(name, []))
    if not log:
        return newest[name]
    # the card as it is now has the last word, since it looked so and the log was over
    since = deal.seen[-1][0]
    for night, card in reversed(deal.seen):
        if {column: bool(value) for column, value in card.items()} != newest:
            break
        since = night
    if at >= max(since, log[-1][0]):
        return newest[name]
    past = [new for changed, _, new in log if changed <= at]
    return bool(past[-1] if past else log[0][1])


def people_at(deal: Deal, name: str, at: datetime) -> bool | None:
    """Whether a person of the kind was on the card; None where nobody knows."""
    if name not in GIVES[deal.crm]:
        return None
    people = [(added, seen) for added, seen, decides in deal.people if name == "contact" or decides]
    if any((added or seen) <= at for added, seen in people):
        return True
    return None if any(added is None for added, _ in people) else False


def read(deal: Deal, lines: list[Line], logs: dict[tuple[str, str], datetime]) -> list[tuple]:
    """The rows of a deal: since when, stage, required, filled, missing, unknown."""
    began = {name: logs.get((deal.crm, name)) for name in COLUMNS}
    moments = {at for _, at in deal.stays} | {night for night, _ in deal.seen}
    moments |= {at for at in began.values() if at} | {change[0] for log in deal.log.values() for change in log}
    moments |= {added or seen for added, seen, _ in deal.people} | {deal.created}
    rows: list[tuple] = []
    told = None
    for at in sorted(moment for moment in moments if moment >= deal.stays[0][1]):
        stage, must = None, None
        for entry, entered in deal.stays:
            if entered <= at:
                asked = required(lines, deal.segment, entry, entered)
                # the stage whose entry set what is required
                stage, must = (entry, asked) if must != asked else (stage, must)
        held = {
            name: column_at(deal, name, began[name], at) if name in COLUMNS else people_at(deal, name, at)
            for name in must
        }
        unknown = {name for name, is_filled in held.items() if is_filled is None}
        filled = None if unknown else {name for name, is_filled in held.items() if is_filled}
        if (must, filled) != told:
            missing = set() if unknown else set(must - filled)
            counted = (len(must), None if unknown else len(filled))
            rows.append((at, stage if stage in POSITION else None, *counted, missing, unknown))
            told = (must, filled)
    return rows


GIVEN = {
    "stg_as_of": [{"as_of": AS_OF, "newest_load_id": 1}],
    "int_stages_completed": STAGES_COMPLETED,
}
FILLED = (
    "card_fields",
    "dim_deals",
    "fct_stage_visits",
    "int_capabilities_found",
    "int_deals_numbered",
    "int_deals_touched",
    "crm_deals",
    "crm_deal_versions",
    "crm_field_changes",
    "crm_deal_contacts",
    "crm_deal_contact_versions",
)


def tables(company: list[Deal], lines: list[Line], logs: dict[tuple[str, str], datetime]) -> dict[str, list[dict]]:
    """The rows that the models read of a company."""
    rows: dict[str, list[dict]] = {name: [] for name in FILLED}
    rows["card_fields"] = [
        dict(zip(("segment", "stage", "field", "is_required", "valid_from"), line, strict=True)) for line in lines
    ]
    rows["int_capabilities_found"] = [
        {"crm": crm, "capability": f"{name}_log", "began_at": at} for (crm, name), at in logs.items()
    ]
    rows["int_capabilities_found"] += [{"crm": crm, "capability": name} for crm in GIVES for name in GIVES[crm]]
    for number, deal in enumerate(company, start=1):
        known = {"deal_id": f"d{number}", "crm": deal.crm}
        made = {**known, "created_at": deal.created}
        rows["int_deals_numbered"].append({"deal_id": f"d{number}", "deal_number": number})
        rows["dim_deals"].append({**made, "_deal_number": number, "_load_id": 1, "segment": deal.segment})
        rows["crm_deals"].append({**made, "is_deleted": False})
        for place, ((stage, entered), (next_stage, left)) in enumerate(pairwise([*deal.stays, (None, None)]), start=1):
            stay = {"stage_id": stage, "next_stage_id": next_stage, "entered_at": entered, "exited_at": left}
            stay |= {"_deal_number": number, "_load_id": 1}
            stay |= {"deal_id": f"d{number}", "segment": deal.segment, "visit_number": place}
            rows["fct_stage_visits"].append(stay)
        for night, card in deal.seen:
            rows["crm_deal_versions"].append({**known, **card, "is_deleted": False, "_extracted_at": night})
        for name, log in deal.log.items():
            for at, old, new in log:
                change = {"field": name, "old_value": old, "new_value": new, "changed_at": at}
                rows["crm_field_changes"].append({**known, **change})
        for place, (added, seen, decides) in enumerate(deal.people):
            person = {**known, "is_decision_maker": decides}
            rows["crm_deal_contacts"].append({**person, "contact_id": f"c{place}", "added_at": added})
            rows["crm_deal_contact_versions"].append({**person, "_extracted_at": seen})
    return rows


@pytest.fixture(scope="module")
def warehouse(models: Models) -> Warehouse:
    return models.warehouse("fct_card_completeness", given=[*GIVEN, *FILLED])


@pytest.mark.parametrize("seed", range(6))
def test_each_card_is_as_complete_as_a_plain_reading_of_its_history_says(warehouse: Warehouse, seed: int):
    draw = Random(seed)
    company, lines = [draw_deal(draw) for _ in range(50)], draw_lines(draw)
    logs: dict[tuple[str, str], datetime] = {}
    for deal in company:
        for name, changes in deal.log.items():
            for at, _, _ in changes:
                logs[deal.crm, name] = min(at, logs.get((deal.crm, name), at))
    warehouse.build({**GIVEN, **tables(company, lines, logs)})
    told: dict[str, list[tuple]] = {f"d{number}": [] for number in range(1, len(company) + 1)}
    for row in warehouse.rows("select * from fct_card_completeness order by deal_id, changed_at"):
        named = [
            set(filter(None, (row[column] or "").removeprefix("not known then: ").split(", ")))
            for column in ("missing_fields", "not_measurable_reason")
        ]
        counted = row["fields_required"], row["fields_filled"]
        told[row["deal_id"]].append((row["changed_at"], row["stage_id"], *counted, *named))
        assert row["completeness"] == (counted[1] / counted[0] if counted[0] and counted[1] is not None else None)
    for number, deal in enumerate(company, start=1):
        assert told[f"d{number}"] == read(deal, lines, logs), deal
