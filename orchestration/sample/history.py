"""What the record keeps of the journey: stage changes and edits of a deal's fields."""

from __future__ import annotations

import numpy as np

from orchestration.sample import clock
from orchestration.sample.clock import DAY, NEVER, Bools, Floats, Ints
from orchestration.sample.company import Company
from orchestration.sample.draws import Draws, pick
from orchestration.sample.journey import (
    CAUSES,
    DISCOVERY,
    FORWARD,
    LEGAL,
    LOSS,
    LOST,
    NEGOTIATION,
    SIGNING,
    WON,
    Table,
)
from orchestration.sample.population import Deals, Users

REASONS = ("price", "competitor", "no budget", "timing", "legal", "no decision", "unknown", "no response")
COMPETITORS = ("Northwind", "Halden", "Corvia", "Lumen Works", "Bright & Sons")

# How often a manager names each of the reasons but the last, by planted cause.
_NAMED = {
    "none": (16, 16, 20, 18, 3, 15, 12),
    "late_proposal": (6, 34, 6, 24, 1, 19, 10),
    "no_decision_maker": (6, 8, 24, 12, 1, 40, 9),
    "no_repeat_contact": (8, 26, 8, 16, 1, 29, 12),
    "legal_stalled": (3, 6, 3, 16, 58, 6, 8),
    "price": (58, 20, 8, 4, 0, 4, 6),
}


def last_visits(visits: Table) -> Ints:
    """Row of each deal's last visit, (deals,)."""
    return np.flatnonzero(np.append(visits["deal"][1:] != visits["deal"][:-1], True))


def stage_changes(company: Company, deals: Deals, visits: Table, draws: Draws) -> Table:
    """All stage changes in the order they were made: deal, from_stage (-1 for none), to_stage as codes,
    changed, recorded in seconds, cleaned (made in a clearing up of silent deals)."""
    deal, stage = visits["deal"], visits["stage"]
    first = np.append(True, deal[1:] != deal[:-1])
    came_from = np.where(first, -1, np.where(np.roll(visits["way"], 1) == LOSS, LOST, np.roll(stage, 1)))
    ends = np.flatnonzero(visits["next_stage"] >= WON)
    chance, part = draws.turns("resave", deals.slot[deal], visits["round"], 2)
    saved = np.flatnonzero((chance < company.resave) & ~visits["clicked"])
    saved_at = clock.between(visits["entered"][saved], visits["decided"][saved], part[saved])
    rows = np.concatenate([np.arange(len(deal)), saved, ends])
    kind = np.repeat([0, 1, 2], [len(deal), len(saved), len(ends)])
    table: Table = {
        "deal": deal[rows],
        "from_stage": np.concatenate([came_from, stage[saved], stage[ends]]),
        "to_stage": np.concatenate([stage, stage[saved], visits["next_stage"][ends]]),
        "changed": np.concatenate([visits["entered"], saved_at, visits["left"][ends]]),
        "cleaned": (kind == 2) & visits["silent"][rows],
    }
    order = np.lexsort((kind, visits["round"][rows], deal[rows]))
    table = {name: values[order] for name, values in table.items()}
    table["recorded"] = _recorded(company, deals, draws, table)
    return table


def _recorded(company: Company, deals: Deals, draws: Draws, table: Table) -> Ints:
    """Most changes are recorded at once, a few up to days later, none after the deal's next change."""
    deal = table["deal"]
    turn = np.arange(len(deal)) - np.searchsorted(deal, deal)
    chance, size = draws.turns("recorded", deals.slot[deal], turn, 2)
    delay = (-1.2 * np.log1p(-size) * DAY).astype(np.int64)
    late = (chance < company.late_record) & (table["from_stage"] >= 0)
    same = np.append(deal[1:] == deal[:-1], False)
    following = np.where(same, np.append(table["changed"][1:], NEVER), NEVER)
    return np.minimum(table["changed"] + np.where(late, delay, 0), following)


def closings(visits: Table, changes: Table) -> Table:
    """Every loss of a deal: visit (row), recorded, and until (when it was reopened or NEVER), (losses,)."""
    closes = changes["to_stage"] >= WON
    ends = np.flatnonzero(visits["next_stage"] >= WON)
    # Both are in the order of deal and round, so they match row by row.
    recorded = changes["recorded"][closes]
    lost = visits["next_stage"][ends] == LOST
    reopening = changes["recorded"][np.minimum(np.flatnonzero(closes) + 1, len(closes) - 1)]
    until = np.where(visits["reopened_at"][ends] < NEVER, reopening, NEVER)
    return {"visit": ends[lost], "recorded": recorded[lost], "until": until[lost]}


def owner_edits(company: Company, deals: Deals, users: Users, visits: Table, draws: Draws) -> Table:
    """Changes of the owner within the team, one a deal at most: deal, at, old, new."""
    slot = deals.slot
    ends = visits["decided"][last_visits(visits)]
    at = clock.between(deals.created, ends, 0.1 + 0.8 * draws.uniform("owner/at", slot))
    at = _clustered(company, at, ends, draws.uniform("owner/month_end", slot))
    step = 1 + (draws.uniform("owner/new", slot) * (company.managers_per_team - 1)).astype(np.int64)
    base = deals.owner // company.managers_per_team * company.managers_per_team
    new = base + (deals.owner - base + step) % company.managers_per_team
    changed = draws.happens("owner/changes", slot, company.owner_change) & (new != deals.owner)
    rows = np.flatnonzero(changed & (at > deals.created))
    return {"deal": rows, "at": at[rows], "old": deals.owner[rows], "new": new[rows]}


def owners_at(deals: Deals, edits: Table, deal: Ints, when: Ints) -> Ints:
    """The owner of each deal at each moment, both (rows,)."""
    changed_at, new = np.full(len(deals), NEVER), deals.owner.copy()
    changed_at[edits["deal"]] = edits["at"]
    new[edits["deal"]] = edits["new"]
    return np.where(when >= changed_at[deal], new[deal], deals.owner[deal])


def amount_edits(company: Company, deals: Deals, visits: Table, draws: Draws) -> Table:
    """Changes of the amount, in order of deal and time: deal, at, old, new (currency)."""
    slot = deals.slot[visits["deal"]]
    part, chance, month, size, quote = draws.turns("amount", slot, visits["round"], 5)
    quoted = (visits["sent"] < NEVER) & (chance < 0.30)
    pressed = deals.price_pressure[visits["deal"]]
    bargains = (visits["stage"] == NEGOTIATION) & ~visits["clicked"]
    bargains &= chance < np.clip(0.42 + 0.12 * pressed, 0.05, 0.9)
    at = clock.between(visits["entered"], visits["decided"], 0.15 + 0.8 * part)
    at = _clustered(company, at, visits["decided"], month)
    at = np.where(quoted, np.minimum(visits["sent"] + (part * 1800).astype(np.int64), visits["left"]), at)
    discount = 1 - np.clip(0.03 + 0.15 * size + 0.02 * pressed, 0.01, 0.30)
    factor = np.where(quoted, np.exp(0.4 * (quote - 0.5)), np.where(size > 0.93, 1 + 0.2 * part, discount))
    rows = np.flatnonzero(quoted | bargains)
    rows = rows[np.lexsort((at[rows], visits["deal"][rows]))]
    deal, log = visits["deal"][rows], np.log(factor[rows])
    total = np.cumsum(log)
    first = np.searchsorted(deal, deal)
    grown = np.exp(total - (total - log)[first])
    new = np.maximum(np.round(deals.amount[deal] * grown, -1), 100.0)
    old = np.where(np.arange(len(deal)) == first, deals.amount[deal], np.roll(new, 1))
    kept = new != old
    return {"deal": deal[kept], "at": at[rows][kept], "old": old[kept], "new": new[kept]}


def _clustered(company: Company, at: Ints, before: Ints, part: Floats) -> Ints:
    """Moves some edits to the month's last working day, when that is still before the given moments."""
    last = clock.month_end(at) + 15 * 3600 + at % (3 * 3600)
    return np.where((part < company.month_end_edits) & (last < before) & (last >= at), last, at)


def close_date_edits(company: Company, deals: Deals, visits: Table, losses: Table, draws: Draws) -> Table:
    """Changes of the expected close date, in order of deal and time: deal, at, old, new (days since 1970).

    A spell is the time a deal is open: from creation, or from a reopening, to the closing.
    """
    again = visits["reopened_at"][losses["visit"]] < NEVER
    back = losses["visit"][again]
    closed = visits["left"].copy()
    # Half of the silent deals are no longer looked at.
    asleep, looks = draws.turns("dates", deals.slot[visits["deal"]], visits["round"], 2) < 0.5
    closed = np.where(visits["silent"] & asleep, visits["decided"], closed)
    last = last_visits(visits)
    ends = closed[last]
    ends[visits["deal"][back]] = closed[back]
    review = _first_entry(deals, visits, looks)
    everyone = np.arange(len(deals))
    first = _pushes(company, draws, "first", everyone, deals.created, ends, deals.expected, review)
    current = deals.expected.copy()
    current[first["deal"]] = first["new"]
    deal, at = visits["deal"][back], visits["reopened_at"][back] + 60
    old = current[deal]
    days = np.rint(60 * draws.spread("dates/reopened", deals.slot[deal], 0.3)).astype(np.int64)
    new = at // DAY + days
    second = _pushes(company, draws, "second", deal, at, closed[last][deal], new, review[deal])
    moved = np.flatnonzero(old != new)
    anew = {"deal": deal[moved], "at": at[moved], "old": old[moved], "new": new[moved]}
    edits = {name: np.concatenate([first[name], anew[name], second[name]]) for name in anew}
    order = np.lexsort((edits["at"], edits["deal"]))
    return {name: values[order] for name, values in edits.items()}


def _first_entry(deals: Deals, visits: Table, wanted: Bools) -> Ints:
    """When each deal first entered legal review, for the wanted visits; else NEVER."""
    moment = np.full(len(deals), NEVER)
    rows = np.flatnonzero((visits["stage"] == LEGAL) & wanted & ~visits["clicked"])[::-1]
    moment[visits["deal"][rows]] = visits["entered"][rows] + 1800
    return moment


def _pushes(
    company: Company,
    draws: Draws,
    spell: str,
    deal: Ints,
    opened: Ints,
    closed: Ints,
    expected: Ints,
    review: Ints,
) -> Table:
    """The edits of the close date in one spell of each deal: pushed as it comes near or has passed, and
    set anew at legal review, which may pull it in."""
    names = ("deal", "at", "old", "new")
    found: list[tuple[Ints, ...]] = []
    last = opened
    while len(deal):
        rng = draws.stream(f"dates/{spell}/{len(found)}")
        lag, push, part, month = (values[deal] for values in rng.random((4, draws.slots)))
        at = np.maximum(expected * DAY + ((lag * 9 - 4) * DAY).astype(np.int64), last + 3 * DAY)
        at = _clustered(company, clock.in_working_hours(at, part), closed, month)
        reviewed = (review > last) & (review < at)
        at = np.where(reviewed, review, at)
        days = np.where(reviewed, 9 + 16 * push, np.exp(2.3 + 1.4 * push))
        base = np.where(reviewed, at // DAY, np.maximum(at // DAY, expected))
        new = base + np.rint(days).astype(np.int64)
        rows = np.flatnonzero(at < closed)
        deal, at, old, new = deal[rows], at[rows], expected[rows], new[rows]
        changed = new != old
        found.append((deal[changed], at[changed], old[changed], new[changed]))
        closed, review, last, expected = closed[rows], review[rows], at, new
    if not found:
        return {name: np.empty(0, dtype=np.int64) for name in names}
    columns = [np.concatenate(values) for values in zip(*found, strict=True)]
    edits = dict(zip(names, columns, strict=True))
    order = np.lexsort((edits["at"], edits["deal"]))
    return {name: values[order] for name, values in edits.items()}


def reason_edits(deals: Deals, visits: Table, losses: Table, draws: Draws) -> Table:
    """Changes of the loss reason, in order of deal and time: deal, at, old, new (codes, -1 for none)."""
    rows, recorded, until = losses["visit"], losses["recorded"], losses["until"]
    slot = deals.slot[visits["deal"][rows]]
    part, other, mute, later, delay = draws.turns("reason", slot, visits["round"][rows], 5)
    weights = np.array([_NAMED[cause] for cause in CAUSES], dtype=float)
    named = pick(part, weights[visits["cause"][rows]])
    none = np.where(visits["silent"][rows], mute < 0.5, mute < 0.03)
    reason = np.where(visits["silent"][rows], len(REASONS) - 1, named)
    reason = np.where(none, -1, reason)
    # Some reasons are looked at again within the month.
    again = pick(other, weights[visits["cause"][rows]])
    again_at = clock.in_working_hours(recorded + ((2 + 28 * delay) * DAY).astype(np.int64), delay)
    edited = (later < 0.06) & (again != reason) & (again_at < until)
    kept = np.where(edited, again, reason)
    deal = visits["deal"][rows]
    nothing = np.full(len(rows), -1)
    given, cleared = reason >= 0, (until < NEVER) & (kept >= 0)
    edits = {
        "deal": np.concatenate([deal[given], deal[edited], deal[cleared]]),
        "at": np.concatenate([recorded[given], again_at[edited], until[cleared]]),
        "old": np.concatenate([nothing[given], reason[edited], kept[cleared]]),
        "new": np.concatenate([reason[given], again[edited], nothing[cleared]]),
    }
    order = np.lexsort((edits["at"], edits["deal"]))
    return {name: values[order] for name, values in edits.items()}


def competitor_seen(deals: Deals, visits: Table, reasons: Table, draws: Draws) -> tuple[Ints, Ints]:
    """Each deal's competitor (a code, -1 for none) and when it came to be known, both (deals,)."""
    name = (draws.uniform("competitor/name", deals.slot) * len(COMPETITORS)).astype(np.int64)
    at = np.full(len(deals), NEVER)
    rows = np.flatnonzero((visits["stage"] >= DISCOVERY) & (visits["stage"] <= NEGOTIATION))[::-1]
    deal = visits["deal"][rows]
    part = draws.uniform("competitor/at", deals.slot)[deal]
    at[deal] = clock.between(visits["entered"][rows], visits["decided"][rows], part)
    at[~deals.competitor] = NEVER
    blamed = np.flatnonzero(reasons["new"] == REASONS.index("competitor"))[::-1]
    blamed = blamed[draws.uniform("competitor/named", deals.slot)[reasons["deal"][blamed]] < 0.85]
    who = reasons["deal"][blamed]
    at[who] = np.minimum(at[who], reasons["at"][blamed])
    return np.where(at < NEVER, name, -1), at


def deleted_at(company: Company, deals: Deals, visits: Table, losses: Table, draws: Draws) -> Ints:
    """When each deal was deleted from the record, (deals,) seconds or NEVER; only lost deals are."""
    moment = np.full(len(deals), NEVER)
    final = visits["reopened_at"][losses["visit"]] == NEVER
    deal = visits["deal"][losses["visit"][final]]
    gone = draws.happens("deleted", deals.slot[deal], company.deleted)
    days = 1 + 20 * draws.uniform("deleted/days", deals.slot[deal])
    at = clock.in_working_hours(losses["recorded"][final] + (days * DAY).astype(np.int64), days % 1)
    moment[deal[gone]] = np.maximum(at, losses["recorded"][final])[gone]
    return moment


def won_at(visits: Table) -> tuple[Ints, Ints]:
    """The deals that were won at last and the moments, (won,)."""
    last = last_visits(visits)
    rows = last[(visits["way"][last] == FORWARD) & (visits["stage"][last] == SIGNING)]
    return visits["deal"][rows], visits["left"][rows]
