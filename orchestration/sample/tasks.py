"""The managers' tasks: made on stage entry, due in working days, done in time, late, in a burst or never."""

from __future__ import annotations

import numpy as np

from orchestration.sample import clock
from orchestration.sample.clock import DAY, NEVER, Bools, Floats, Ints
from orchestration.sample.company import Company, TaskPlan
from orchestration.sample.draws import Draws
from orchestration.sample.history import last_visits
from orchestration.sample.journey import DISCOVERY, LOSS, NEGOTIATION, SIGNING, WON, Table
from orchestration.sample.population import Deals

_WORK = {
    "prepare_proposal": "prepared",
    "send_proposal": "sent",
    "repeat_contact": "repeated",
    "legal_review": "reviewed",
}
"""Tasks whose end is a moment of the visit, by that moment's column."""


def make_tasks(company: Company, deals: Deals, visits: Table, contact_at: Ints, draws: Draws) -> Table:
    """All tasks in order of creation: visit (row), deal, plan (position in company.tasks), and created,
    first_due, due (the last one), moved (when it was), completed, in seconds or NEVER."""
    made = [_of_plan(company, deals, visits, contact_at, draws, k) for k in range(len(company.tasks))]
    tasks = {name: np.concatenate([table[name] for table in made]) for name in made[0]}
    order = np.lexsort((tasks["plan"], tasks["deal"], tasks["created"]))
    tasks = {name: values[order] for name, values in tasks.items()}
    _finish(company, deals, visits, tasks, draws)
    _move_due(company, deals, visits, tasks, draws)
    return tasks


def _of_plan(
    company: Company,
    deals: Deals,
    visits: Table,
    contact_at: Ints,
    draws: Draws,
    number: int,
) -> Table:
    """The tasks of one plan, with the end they would have if nothing came between."""
    plan = company.tasks[number]
    rows = np.flatnonzero(_called_for(company, visits, contact_at, plan))
    created = visits["left" if plan.stage == "Won" else "entered"][rows]
    if plan.name == "repeat_contact":
        created = visits["sent"][rows]
    due = clock.after_work(created, np.full(len(rows), plan.due)) // DAY * DAY + 17 * 3600
    if plan.name in _WORK:
        completed = visits[_WORK[plan.name]][rows]
    elif plan.name == "involve_decision_maker":
        completed = contact_at[visits["deal"][rows]]
    elif plan.name == "signing":
        passed = (visits["stage"][rows] == SIGNING) & (visits["way"][rows] != LOSS)
        completed = np.where(passed, visits["left"][rows], NEVER)
    else:
        completed = _done(company, deals, draws, plan, visits, rows, created)
    return {
        "visit": rows,
        "deal": visits["deal"][rows],
        "plan": np.full(len(rows), number),
        "created": created,
        "first_due": due,
        "completed": completed,
    }


def _called_for(company: Company, visits: Table, contact_at: Ints, plan: TaskPlan) -> Bools:
    """The visits that make a task of the plan."""
    if plan.stage == "Won":
        return visits["next_stage"] == WON
    if plan.name == "involve_decision_maker":
        missing = contact_at[visits["deal"]] > visits["entered"]
        first = (visits["stage"] == DISCOVERY) & ~visits["again"]
        return (first | (visits["stage"] == NEGOTIATION)) & missing & ~visits["clicked"]
    wanted = (visits["stage"] == company.stage_names.index(plan.stage)) & ~visits["clicked"]
    return wanted & (visits["sent"] < NEVER) if plan.name == "repeat_contact" else wanted


def _done(
    company: Company, deals: Deals, draws: Draws, plan: TaskPlan, visits: Table, rows: Ints, created: Ints
) -> Ints:
    """When a plain task ends, in working hours; some on a Friday with others, some never."""
    deal = visits["deal"][rows]
    name = f"task/{plan.name}"
    never, burst, second, size = draws.turns(name, deals.slot[deal], visits["round"][rows], 4)
    effort = deals.diligence[deal]
    # The median is the plan's; the ends are five times as fast and as slow.
    days = plan.days * np.exp(1.6 * (2 * size - 1) * np.abs(2 * size - 1) ** 0.5 - 0.15 * effort)
    done = clock.after_work(created, days)
    day = done // DAY
    friday = (day + 4 - clock.weekday(day)) * DAY + 16 * 3600 + 2400 + (second * 600).astype(np.int64)
    done = np.where((burst < company.burst) & (friday > done), friday, done)
    return np.where(never < plan.never * np.exp(-0.4 * effort), NEVER, done)


def _draws(deals: Deals, visits: Table, tasks: Table, draws: Draws, name: str, kinds: int) -> Floats:
    """Uniform draws for each task, (kinds, tasks): a deal's turns are the plans of its visits."""
    turn = visits["round"][tasks["visit"]] * (tasks["plan"].max(initial=0) + 1) + tasks["plan"]
    return draws.turns(name, deals.slot[tasks["deal"]], turn, kinds)


def _finish(company: Company, deals: Deals, visits: Table, tasks: Table, draws: Draws) -> None:
    """What is still open when the deal leaves the stage: some is ticked off at once, and with a lost deal
    the rest is never done."""
    last = last_visits(visits)
    row, done = tasks["visit"], tasks["completed"]
    left, lost = visits["left"][row], visits["way"][row] == LOSS
    plain = np.array([plan.name not in {*_WORK, "signing", "hand_over"} for plan in company.tasks])
    part, second = _draws(deals, visits, tasks, draws, "task/ticked", 2)
    missed = (done > left) & (tasks["created"] < left)
    ticked = missed & (part < np.where(lost, 0.35, 0.25)) & (plain[tasks["plan"]] | lost)
    names = [plan.name for plan in company.tasks]
    # A decision maker is not involved by a tick, nor is a proposal sent by one.
    for name in ("involve_decision_maker", "send_proposal", "repeat_contact", "signing"):
        ticked &= tasks["plan"] != names.index(name)
    done = np.where(ticked, left + (second * 90).astype(np.int64), done)
    done = np.where(missed & lost & ~ticked, NEVER, done)
    end = visits["left"][last][tasks["deal"]]
    won = visits["next_stage"][last][tasks["deal"]] == WON
    tasks["completed"] = np.where((done > end + 90) & ~won, NEVER, done)


def _move_due(company: Company, deals: Deals, visits: Table, tasks: Table, draws: Draws) -> None:
    """Some tasks not done a day before they are due get a later date, about then."""
    part, place, days = _draws(deals, visits, tasks, draws, "task/moved", 3)
    start, due = tasks["created"], tasks["first_due"]
    moved = np.maximum(clock.between(start, due + 2 * DAY, 0.5 + 0.5 * place), start + 600)
    open_until = np.minimum(tasks["completed"], visits["left"][tasks["visit"]])
    # A hand-over is made after the last visit, so only its own end counts.
    after = start >= visits["left"][tasks["visit"]]
    open_until = np.where(after, tasks["completed"], open_until)
    moves = (part < _chance(company, tasks, open_until)) & (moved < open_until)
    later = clock.after_work(np.maximum(due, moved), 1 + 7 * days) // DAY * DAY + 17 * 3600
    tasks["moved"] = np.where(moves, moved, NEVER)
    tasks["due"] = np.where(moves, later, due)


def _chance(company: Company, tasks: Table, open_until: Ints) -> Floats:
    """Chance that the due date is moved: only of tasks still open a day before it, (tasks,)."""
    return np.where(open_until > tasks["first_due"] - DAY, company.due_moved * 2, company.due_moved / 8)
