"""Who talks to whom: the contacts of each deal, and calls, emails, meetings and notes in its visits."""

from __future__ import annotations

import numpy as np

from orchestration.sample import clock
from orchestration.sample.clock import DAY, NEVER, Floats, Ints
from orchestration.sample.company import Company
from orchestration.sample.draws import Draws, pick
from orchestration.sample.history import last_visits
from orchestration.sample.journey import Table
from orchestration.sample.population import Deals

TYPES = ("call", "email", "meeting", "note")
CALL, EMAIL, MEETING, NOTE = range(4)
IN, OUT = range(2)
OUTCOMES = ("connected", "no answer", "left message", "held", "no show", "sent", "replied")
CONNECTED, NO_ANSWER, MESSAGE, HELD, NO_SHOW, SENT, REPLIED = range(7)
ROLES = ("user", "champion", "finance", "technical", "decision maker")
DECISION_MAKER = 4
MOST_CONTACTS = 4
"""Contacts of a deal beside the decision maker, at most."""


def make_contacts(deals: Deals, visits: Table, contact_at: Ints, draws: Draws) -> Table:
    """One contact to five a deal, in order of deal and time: deal, place (0 to 4), role as a code, added
    in seconds. The first is there from the creation; a decision maker has place 4."""
    count, slot = len(deals), deals.slot
    ends = visits["decided"][last_visits(visits)]
    rng = draws.stream("contacts")
    part, role = rng.random((2, draws.slots, MOST_CONTACTS))[:, slot]
    more = rng.binomial(MOST_CONTACTS - 1, 0.3, draws.slots)[slot]
    place = np.broadcast_to(np.arange(MOST_CONTACTS), (count, MOST_CONTACTS))
    there = place <= more[:, None]
    deal = np.broadcast_to(np.arange(count)[:, None], there.shape)[there]
    moment = clock.between(deals.created[deal], ends[deal], 0.7 * part[there] ** 1.5)
    added = np.where(place[there] == 0, deals.created[deal], moment)
    leaders = np.flatnonzero(contact_at < visits["left"][last_visits(visits)])
    roles = pick(role[there], np.array([40, 24, 18, 18]))
    contacts: Table = {
        "deal": np.concatenate([deal, leaders]),
        "place": np.concatenate([place[there], np.full(len(leaders), MOST_CONTACTS)]),
        "role": np.concatenate([roles, np.full(len(leaders), DECISION_MAKER)]),
        "added": np.concatenate([added, contact_at[leaders]]),
    }
    order = np.lexsort((contacts["place"], contacts["added"], contacts["deal"]))
    return {name: values[order] for name, values in contacts.items()}


def make_activities(company: Company, deals: Deals, visits: Table, contacts: Table, draws: Draws) -> Table:
    """All activities in the order they were logged: deal, contact (row of contacts, -1 for none), type,
    direction and outcome as codes (-1 for none), occurred and logged in seconds."""
    parts = [
        _talks(company, visits, draws),
        _chasers(visits, draws),
        _of_work(visits, "sent", EMAIL, SENT),
        _of_work(visits, "repeated", CALL, CONNECTED),
    ]
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    table["contact"] = _spoken_to(deals, contacts, table, draws)
    table["logged"] = table["occurred"] + _delay(draws, len(table["deal"]))
    order = np.lexsort((table["type"], table["deal"], table["occurred"], table["logged"]))
    return {name: values[order] for name, values in table.items()}


def _talks(company: Company, visits: Table, draws: Draws) -> Table:
    """What goes on in the visits: more of it, and more of it from the customer, in a two-way contact."""
    rng = draws.stream("talks")
    two_way = visits["two_way"]
    rate = np.array([stage.activities for stage in company.stages])[visits["stage"]]
    rate = rate * np.exp(0.22 * two_way) * np.where(visits["again"], 0.6, 1.0) * ~visits["clicked"]
    row = np.repeat(np.arange(len(rate)), rng.poisson(rate))
    part, answer, kind, side, late, hours = rng.random((6, len(row)))
    stage = visits["stage"][row]
    meets = np.array([0.08, 0.18, 0.12, 0.20, 0.08, 0.06])[stage]
    same = np.ones(len(row))
    shares = np.column_stack([0.34 * same, 0.50 * same, meets, 0.1 * same])
    types = pick(kind, shares)
    inward = side < 1 / (1 + np.exp(0.75 - 0.65 * two_way[row]))
    direction = np.where(types >= MEETING, -1, np.where(inward, IN, OUT))
    occurred = clock.between(visits["entered"][row], visits["decided"][row], part**1.15)
    # Customers also write in the evening.
    evening = (direction == IN) & (types == EMAIL) & (late < 0.2)
    occurred = np.where(
        evening, np.minimum(occurred + (hours * 4 * 3600).astype(np.int64), visits["decided"][row]), occurred
    )
    return {
        "deal": visits["deal"][row],
        "type": types,
        "direction": direction,
        "outcome": _outcome(types, direction, answer, two_way[row]),
        "occurred": occurred,
    }


def _outcome(types: Ints, direction: Ints, part: Floats, two_way: Floats) -> Ints:
    reached = part < 1 / (1 + np.exp(-0.2 - 0.4 * two_way))
    call = np.where((direction == IN) | reached, CONNECTED, np.where(part * 1000 % 2 < 1, NO_ANSWER, MESSAGE))
    meeting = np.where(part < 0.9, HELD, NO_SHOW)
    email = np.where(direction == IN, REPLIED, SENT)
    return np.select([types == CALL, types == EMAIL, types == MEETING], [call, email, meeting], -1)


def _chasers(visits: Table, draws: Draws) -> Table:
    """What a manager still sends a silent customer: nothing comes back."""
    rng = draws.stream("chasers")
    silent = np.flatnonzero(visits["silent"])
    row = np.repeat(silent, rng.poisson(1.6, len(silent)))
    part, kind, answer = rng.random((3, len(row)))
    types = np.where(kind < 0.4, CALL, EMAIL)
    return {
        "deal": visits["deal"][row],
        "type": types,
        "direction": np.full(len(row), OUT),
        "outcome": np.where(types == CALL, np.where(answer < 0.6, NO_ANSWER, MESSAGE), SENT),
        "occurred": clock.between(visits["decided"][row], visits["left"][row], part**2),
    }


def _of_work(visits: Table, moment: str, kind: int, outcome: int) -> Table:
    """The activity that is the work itself: the proposal's email, the repeat contact's call."""
    row = np.flatnonzero(visits[moment] < NEVER)
    if kind == CALL:
        # Nobody answers once the customer has gone silent.
        results = np.where(visits[moment][row] > visits["decided"][row], NO_ANSWER, outcome)
    else:
        results = np.full(len(row), outcome)
    return {
        "deal": visits["deal"][row],
        "type": np.full(len(row), kind),
        "direction": np.full(len(row), OUT),
        "outcome": results,
        "occurred": visits[moment][row],
    }


def _spoken_to(deals: Deals, contacts: Table, table: Table, draws: Draws) -> Ints:
    """Row of the contact spoken to: one of the deal's, already added; notes have none."""
    first = np.searchsorted(contacts["deal"], np.arange(len(deals)))
    count = np.bincount(contacts["deal"], minlength=len(deals))
    part = draws.stream("activity/contact").random(len(table["deal"]))
    row = first[table["deal"]] + (part * count[table["deal"]]).astype(np.int64)
    row = np.where(contacts["added"][row] <= table["occurred"], row, first[table["deal"]])
    return np.where(table["type"] == NOTE, -1, row)


def _delay(draws: Draws, count: int) -> Ints:
    """Seconds until an activity is logged: mostly minutes, sometimes hours, at times days."""
    rng = draws.stream("logged")
    kind, size = rng.random(count), rng.exponential(1.0, count)
    scale = np.select([kind < 0.72, kind < 0.94], [600, 3 * 3600], 2 * DAY)
    return (scale * size).astype(np.int64)
