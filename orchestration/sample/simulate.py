"""From a company to its world: every deal from its creation to its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from orchestration.sample import activities, history, revenue
from orchestration.sample.clock import DAY, NEVER, Ints, as_times, seconds
from orchestration.sample.company import Company
from orchestration.sample.draws import Draws, pick
from orchestration.sample.journey import BACK, CAUSES, LOSS, LOST, WAYS, Table, run
from orchestration.sample.population import Deals, Users, draw_deals, draw_users, owner_names
from orchestration.sample.tasks import make_tasks
from orchestration.sample.world import World

Names = npt.NDArray[np.object_]

INDUSTRIES = ("manufacturing", "logistics", "retail", "health", "finance", "software", "energy", "education")
_WORDS = ("Alder", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Iris", "Juniper")
_LINES = ("Works", "Freight", "Stores", "Care", "Capital", "Systems", "Power", "Institute")
_TITLES = (
    ("Specialist", "Analyst", "Coordinator"),
    ("Head of Operations", "Project Manager", "Product Manager"),
    ("Controller", "Purchasing Manager", "Finance Manager"),
    ("IT Manager", "System Architect", "Security Officer"),
    ("Managing Director", "Chief Operating Officer", "Chief Financial Officer"),
)


def simulate(company: Company) -> World:
    """The complete world of a company; the same company gives the same world."""
    users = draw_users(company)
    deals, draws = draw_deals(company, users)
    visits, contact_at = run(company, deals, draws)
    changes = history.stage_changes(company, deals, visits, draws)
    losses = history.closings(visits, changes)
    owners = history.owner_edits(company, deals, users, visits, draws)
    amounts = history.amount_edits(company, deals, visits, draws)
    dates = history.close_date_edits(company, deals, visits, losses, draws)
    reasons = history.reason_edits(deals, visits, losses, draws)
    contacts = activities.make_contacts(deals, visits, contact_at, draws)
    talks = activities.make_activities(company, deals, visits, contacts, draws)
    work = make_tasks(company, deals, visits, contact_at, draws)
    won, won_at = history.won_at(visits)
    amount = deals.amount.copy()
    amount[amounts["deal"]] = amounts["new"]
    money, used = revenue.make_revenue(company, deals, won, won_at, amount[won], draws)
    seen = history.competitor_seen(deals, visits, reasons, draws)
    deleted = history.deleted_at(company, deals, visits, losses, draws)

    ids = _Ids(deals, users)
    edits = _edits(ids, owners, amounts, dates, reasons)
    tables = {
        "deals": _deals(company, deals, ids, seen, deleted),
        "stage_changes": _stage_changes(company, deals, users, ids, owners, changes),
        "field_changes": _field_changes(deals, users, ids, owners, edits),
        "activities": _activities(deals, ids, owners, contacts, talks),
        "tasks": _tasks(company, deals, ids, owners, work),
        "accounts": _accounts(company, deals, ids, draws),
        "contacts": _contacts(deals, ids, contacts, draws),
        "deal_contacts": _deal_contacts(ids, contacts),
        "users": _users(company, users, ids),
        "stages": _stages(company),
        "revenue_events": _revenue(company, ids, money),
    }
    first_use = np.full(len(deals), NEVER)
    first_use[won] = used
    truth = _truth(company, deals, ids, visits, contact_at, amount, first_use)
    return World(company, tables, edits, _visits(company, ids, visits), truth)


class _Ids:
    """The ids of deals, accounts and users as text, by row."""

    def __init__(self, deals: Deals, users: Users) -> None:
        self.deal = _numbered("D", deals.slot + 1)
        self.account = _numbered("A", deals.slot[deals.account] + 1)
        self.user = _numbered("U", np.arange(len(users.team)) + 1, 3)
        self.contact = _numbered("C", deals.slot + 1)


def _numbered(letter: str, numbers: Ints, digits: int = 6) -> Names:
    return np.array([f"{letter}{number:0{digits}d}" for number in numbers.tolist()], dtype=object)


def _named(names: Sequence[str], codes: Ints) -> Names:
    """Codes as text, -1 as null."""
    return np.array([*names, None], dtype=object)[codes]


def _edits(ids: _Ids, owners: Table, amounts: Table, dates: Table, reasons: Table) -> dict[str, pd.DataFrame]:
    """Edits by field: deal (row), at, value and, as a record writes them, old_value and new_value."""

    def text(amount: npt.NDArray[np.float64]) -> Names:
        return np.array([f"{value:.2f}" for value in amount.tolist()], dtype=object)

    def day(days: Ints) -> Names:
        return days.astype("datetime64[D]").astype(str).astype(object)

    def table(edits: Table, value: np.ndarray, old: Names, new: Names) -> pd.DataFrame:
        at = as_times(edits["at"])
        columns = {"deal": edits["deal"], "at": at, "value": value, "old_value": old, "new_value": new}
        return pd.DataFrame(columns)

    old, new = ids.user[owners["old"]], ids.user[owners["new"]]
    before, after = _named(history.REASONS, reasons["old"]), _named(history.REASONS, reasons["new"])
    midnight = as_times(dates["new"] * DAY)
    return {
        "amount": table(amounts, amounts["new"], text(amounts["old"]), text(amounts["new"])),
        "expected_close_date": table(dates, midnight, day(dates["old"]), day(dates["new"])),
        "loss_reason": table(reasons, after, before, after),
        "owner_id": table(owners, new, old, new),
    }


def _deals(company: Company, deals: Deals, ids: _Ids, seen: tuple[Ints, Ints], deleted: Ints) -> pd.DataFrame:
    """The deals as they were created, with what came to be known later and when."""
    product = _named([p.name for p in company.products], deals.product)
    return pd.DataFrame(
        {
            "deal_id": ids.deal,
            "deal_name": _account_names(deals) + " - " + product,
            "account_id": ids.account,
            "owner_id": ids.user[deals.owner],
            "pipeline": company.pipeline,
            "amount": deals.amount,
            "currency": company.currency,
            "margin_rate": deals.margin,
            "channel": _named([c.name for c in company.channels], deals.channel),
            "product": product,
            "created_at": as_times(deals.created),
            "expected_close_date": as_times(deals.expected * DAY),
            "loss_reason": np.full(len(deals), None, dtype=object),
            "competitor": _named(history.COMPETITORS, seen[0]),
            "competitor_seen_at": as_times(seen[1]),
            "deleted_at": as_times(deleted),
            "known_at": as_times(deals.created),
        }
    )


def _stage_changes(
    company: Company, deals: Deals, users: Users, ids: _Ids, owners: Table, changes: Table
) -> pd.DataFrame:
    owner = history.owners_at(deals, owners, changes["deal"], changes["changed"])
    who = np.where(changes["cleaned"], users.lead[owner], owner)
    recorded = as_times(changes["recorded"])
    return pd.DataFrame(
        {
            "deal_id": ids.deal[changes["deal"]],
            "to_stage": _named(company.stage_names, changes["to_stage"]),
            "changed_at": as_times(changes["changed"]),
            "from_stage": _named(company.stage_names, changes["from_stage"]),
            "changed_by": ids.user[who],
            "recorded_at": recorded,
            "deal": changes["deal"],
            "known_at": recorded,
        }
    )


def _field_changes(
    deals: Deals, users: Users, ids: _Ids, owners: Table, edits: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    parts = [table.drop(columns="value").assign(field=field) for field, table in edits.items()]
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["deal", "at", "field"], kind="stable", ignore_index=True)
    deal, at = table["deal"].to_numpy(), table["at"].to_numpy().astype("datetime64[s]").astype(np.int64)
    owner = history.owners_at(deals, owners, deal, at)
    # Deals change hands by the lead's decision.
    who = np.where(table["field"] == "owner_id", users.lead[owner], owner)
    return pd.DataFrame(
        {
            "deal_id": ids.deal[deal],
            "field": table["field"],
            "old_value": table["old_value"],
            "new_value": table["new_value"],
            "changed_at": table["at"],
            "changed_by": ids.user[who],
            "known_at": table["at"],
        }
    )


def _activities(deals: Deals, ids: _Ids, owners: Table, contacts: Table, talks: Table) -> pd.DataFrame:
    owner = history.owners_at(deals, owners, talks["deal"], talks["occurred"])
    contact = np.append(_contact_ids(ids, contacts), None)[talks["contact"]]
    logged = as_times(talks["logged"])
    return pd.DataFrame(
        {
            "activity_id": _numbered("E", np.arange(len(owner)) + 1, 7),
            "deal_id": ids.deal[talks["deal"]],
            "owner_id": ids.user[owner],
            "contact_id": contact,
            "type": _named(activities.TYPES, talks["type"]),
            "direction": _named(("in", "out"), talks["direction"]),
            "occurred_at": as_times(talks["occurred"]),
            "logged_at": logged,
            "outcome": _named(activities.OUTCOMES, talks["outcome"]),
            "known_at": logged,
        }
    )


def _tasks(company: Company, deals: Deals, ids: _Ids, owners: Table, work: Table) -> pd.DataFrame:
    owner = history.owners_at(deals, owners, work["deal"], work["created"])
    created = as_times(work["created"])
    return pd.DataFrame(
        {
            "task_id": _numbered("T", np.arange(len(owner)) + 1, 7),
            "deal_id": ids.deal[work["deal"]],
            "owner_id": ids.user[owner],
            "task_type": _named([plan.name for plan in company.tasks], work["plan"]),
            "created_at": created,
            "due_at": as_times(work["due"]),
            "original_due_at": as_times(work["first_due"]),
            "completed_at": as_times(work["completed"]),
            "moved_at": as_times(work["moved"]),
            "known_at": created,
        }
    )


def _account_names(deals: Deals) -> Names:
    """A name for each deal's account, (deals,)."""
    number = deals.slot[deals.account]
    word, line = _named(_WORDS, number % len(_WORDS)), _named(_LINES, number // 10 % len(_LINES))
    place = [str(value) for value in (number // 80 + 1).tolist()]
    return word + " " + line + " " + np.array(place, dtype=object)


def _accounts(company: Company, deals: Deals, ids: _Ids, draws: Draws) -> pd.DataFrame:
    rows = np.unique(deals.account)
    slot = deals.slot[rows]
    staff = np.array([s.employees for s in company.segments])[deals.segment[rows]]
    staff = np.maximum(np.rint(staff * draws.spread("account/staff", slot, 0.6)), 3).astype(np.int64)
    income = np.round(staff * 150_000 * draws.spread("account/income", slot, 0.4), -3)
    industry = pick(draws.uniform("account/industry", slot), np.array([22, 14, 15, 10, 11, 14, 7, 7]))
    return pd.DataFrame(
        {
            "account_id": ids.account[rows],
            "account_name": _account_names(deals)[rows],
            "industry": _named(INDUSTRIES, industry),
            "employee_count": staff,
            "annual_revenue": income,
            "region": _named([team.name for team in company.teams], deals.region[rows]),
            "segment": _named([segment.name for segment in company.segments], deals.segment[rows]),
            "known_at": as_times(deals.created[rows]),
        }
    )


def _contact_ids(ids: _Ids, contacts: Table) -> Names:
    place = np.array([str(value) for value in range(1, activities.MOST_CONTACTS + 2)], dtype=object)
    return ids.contact[contacts["deal"]] + "-" + place[contacts["place"]]


def _contacts(deals: Deals, ids: _Ids, contacts: Table, draws: Draws) -> pd.DataFrame:
    part = draws.stream("contact/title").random((draws.slots, activities.MOST_CONTACTS + 1))
    which = (part[deals.slot[contacts["deal"]], contacts["place"]] * 3).astype(np.int64)
    table = pd.DataFrame(
        {
            "contact_id": _contact_ids(ids, contacts),
            "account_id": ids.account[contacts["deal"]],
            "job_title": np.array(_TITLES, dtype=object)[contacts["role"], which],
            "known_at": as_times(contacts["added"]),
        }
    )
    return table.sort_values("contact_id", ignore_index=True)


def _deal_contacts(ids: _Ids, contacts: Table) -> pd.DataFrame:
    added = as_times(contacts["added"])
    table = pd.DataFrame(
        {
            "deal_id": ids.deal[contacts["deal"]],
            "contact_id": _contact_ids(ids, contacts),
            "role": _named(activities.ROLES, contacts["role"]),
            "is_decision_maker": contacts["role"] == activities.DECISION_MAKER,
            "added_at": added,
            "known_at": added,
        }
    )
    return table.sort_values(["deal_id", "contact_id"], ignore_index=True)


def _users(company: Company, users: Users, ids: _Ids) -> pd.DataFrame:
    lead = users.lead == np.arange(len(users.lead))
    return pd.DataFrame(
        {
            "user_id": ids.user,
            "user_name": owner_names(company),
            "team": _named([team.name for team in company.teams], users.team),
            "manager_id": np.where(lead, None, ids.user[users.lead]),
            "is_active": True,
            "known_at": as_times(np.full(len(lead), seconds(company.start))),
        }
    )


def _stages(company: Company) -> pd.DataFrame:
    names = company.stage_names
    return pd.DataFrame(
        {
            "pipeline": company.pipeline,
            "stage": np.array(names, dtype=object),
            "position": np.arange(1, len(names) + 1),
            "phase": np.array([*(s.phase for s in company.stages), "onboarding", None], dtype=object),
            "is_won": [name == "Won" for name in names],
            "is_lost": [name == "Lost" for name in names],
            "probability": [*(s.probability for s in company.stages), 1.0, 0.0],
            "known_at": as_times(np.full(len(names), seconds(company.start))),
        }
    )


def _revenue(company: Company, ids: _Ids, money: Table) -> pd.DataFrame:
    occurred = as_times(money["occurred"])
    return pd.DataFrame(
        {
            "deal_id": ids.deal[money["deal"]],
            "kind": _named(revenue.KINDS, money["kind"]),
            "occurred_at": occurred,
            "amount": money["amount"],
            "currency": np.where(np.isnan(money["amount"]), None, company.currency),
            "known_at": occurred,
        }
    )


def _visits(company: Company, ids: _Ids, visits: Table) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "deal_id": ids.deal[visits["deal"]],
            "visit": visits["round"],
            "stage": _named(company.stage_names, visits["stage"]),
            "entered_at": as_times(visits["entered"]),
            "decided_at": as_times(visits["decided"]),
            "left_at": as_times(visits["left"]),
            "way": _named(WAYS, visits["way"]),
            "next_stage": _named(company.stage_names, visits["next_stage"]),
            "silent": visits["silent"],
            "clicked": visits["clicked"],
            "pass_chance": visits["pass_chance"],
            "two_way": visits["two_way"],
            "proposal_late_days": visits["late_days"],
            "no_repeat_contact": visits["no_repeat_contact"],
            "no_decision_maker": visits["no_decision_maker"],
            "legal_stalled": visits["legal_stalled"],
            "price_pressed": visits["pressed"],
            "cause": _named(CAUSES, visits["cause"]),
        }
    )


def _truth(
    company: Company,
    deals: Deals,
    ids: _Ids,
    visits: Table,
    contact_at: Ints,
    amount: npt.NDArray[np.float64],
    first_use: Ints,
) -> pd.DataFrame:
    last = history.last_visits(visits)
    count = len(deals)

    def ever(flag: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return np.bincount(visits["deal"][flag], minlength=count) > 0

    lost = visits["next_stage"][last] == LOST
    return pd.DataFrame(
        {
            "deal_id": ids.deal,
            "segment": _named([s.name for s in company.segments], deals.segment),
            "channel": _named([c.name for c in company.channels], deals.channel),
            "team": _named([t.name for t in company.teams], deals.team),
            "owner_id": ids.user[deals.owner],
            "created_at": as_times(deals.created),
            "quality": deals.quality,
            "engagement": deals.engagement,
            "price_pressure": deals.price_pressure,
            "decision_maker_at": as_times(contact_at),
            "late_proposal": ever(visits["late_days"] > 0),
            "no_repeat_contact": ever(visits["no_repeat_contact"]),
            "no_decision_maker": ever(visits["no_decision_maker"]),
            "legal_stalled": ever(visits["legal_stalled"]),
            "price_pressed": ever(visits["pressed"]),
            "outcome": np.where(lost, "lost", "won").astype(object),
            "ended_at": as_times(visits["left"][last]),
            "decided_at": as_times(visits["decided"][last]),
            "silent": visits["silent"][last],
            "lost_stage": _named(company.stage_names, np.where(lost, visits["stage"][last], -1)),
            "cause": _named(CAUSES, visits["cause"][last]),
            "reopened": ever((visits["way"] == LOSS) & (visits["reopened_at"] < NEVER)),
            "moved_back": ever(visits["way"] == BACK),
            "amount": amount,
            "first_use_at": as_times(first_use),
        }
    )
