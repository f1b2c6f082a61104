"""The way of every deal through the stages, round by round: each round is one visit of every open deal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestration.sample import clock
from orchestration.sample.clock import DAY, NEVER, Bools, Floats, Ints
from orchestration.sample.company import Company
from orchestration.sample.draws import Draws
from orchestration.sample.faults import sized
from orchestration.sample.population import Deals

QUALIFICATION, DISCOVERY, PROPOSAL, NEGOTIATION, LEGAL, SIGNING, WON, LOST = range(8)
FORWARD, SKIP, BACK, LOSS = range(4)
WAYS = ("forward", "skip", "back", "lost")
CAUSES = ("none", "late_proposal", "no_decision_maker", "no_repeat_contact", "legal_stalled", "price")

Table = dict[str, npt.NDArray]
"""Columns of equal length by name."""


@dataclass
class _State:
    """Where the open deals stand; every array is (deals,)."""

    stage: Ints
    entered: Ints
    seen: npt.NDArray[np.bool_]  # (deals, working stages)
    contact_at: Ints
    clicked: Bools
    reopened: Bools


def run(company: Company, deals: Deals, draws: Draws) -> tuple[Table, Ints]:
    """All visits, ordered by deal and round, and the moment each decision maker came in.

    A visit has deal, round, stage, way and next_stage as codes; entered, decided (the true moment of
    the way out), left (when the record changes), prepared, sent, repeated, reviewed, reopened_at in
    seconds or NEVER; late_days in working days; silent, clicked and the planted causes as booleans;
    two_way in deviations; pass_chance; cause as a code. The moments are (deals,) seconds or NEVER.
    """
    count = len(deals)
    state = _State(
        np.zeros(count, dtype=np.int64),
        deals.created.copy(),
        np.zeros((count, len(company.stages)), dtype=bool),
        np.full(count, NEVER),
        np.zeros(count, dtype=bool),
        np.zeros(count, dtype=bool),
    )
    open_deals, rounds = np.arange(count), []
    while len(open_deals):
        visit = _visit(company, deals, draws, state, open_deals, len(rounds))
        rounds.append(visit)
        open_deals = _advance(company, deals, draws, state, visit)
    columns = {name: np.concatenate([visit[name] for visit in rounds]) for name in rounds[0]}
    order = np.lexsort((columns["round"], columns["deal"]))
    return {name: values[order] for name, values in columns.items()}, state.contact_at


def _visit(company: Company, deals: Deals, draws: Draws, state: _State, deal: Ints, number: int) -> Table:
    """One round: what happens to each open deal in its stage."""
    visit: Table = {
        "deal": deal,
        "round": np.full(len(deal), number),
        "stage": state.stage[deal],
        "entered": state.entered[deal],
        "clicked": state.clicked[deal],
        "again": state.seen[deal, state.stage[deal]],
    }
    slot = deals.slot[deal]
    late = visit["stage"] >= deals.contact_stage[deal]
    due = late & (state.contact_at[deal] == NEVER) & ~visit["clicked"]
    came = clock.after_work(visit["entered"], 3.0 * draws.spread(f"contact/{number}", slot, 0.6))
    state.contact_at[deal[due]] = came[due]
    moods = draws.normal(f"two_way/{number}", slot)
    visit["two_way"] = 0.85 * deals.engagement[deal] + 0.15 * deals.diligence[deal] + 0.5 * moods
    _work(company, deals, draws, visit, slot)
    _choose(company, deals, draws, visit, slot, state.contact_at[deal])
    _time(company, deals, draws, visit, slot)
    return visit


def _work(company: Company, deals: Deals, draws: Draws, visit: Table, slot: Ints) -> None:
    """The planned work of the visit: proposal, repeat contact, legal review."""
    deal, stage, entered, number = visit["deal"], visit["stage"], visit["entered"], visit["round"][0]
    codes = {"stage": stage, "segment": deals.segment[deal], "team": deals.team[deal]}
    codes["channel"] = deals.channel[deal]
    pace = np.array([team.pace for team in company.teams])[deals.team[deal]]
    pace = pace * np.exp(-0.12 * deals.diligence[deal])
    for size in sized(company, "slow_task", 1.0, entered, **codes):
        pace = pace * size
    preparing = company.proposal_days * pace * draws.spread(f"prepare/{number}", slot, 0.55)
    sending = company.sending_days * pace * draws.spread(f"send/{number}", slot, 0.7)
    proposing = (stage == PROPOSAL) & ~visit["clicked"]
    visit["prepared"] = np.where(proposing, clock.after_work(entered, preparing), NEVER)
    visit["sent"] = np.where(proposing, clock.after_work(entered, preparing + sending), NEVER)
    due = clock.after_work(entered, np.full(len(deal), _due(company, "send_proposal")))
    late = np.where(proposing, preparing + sending - _due(company, "send_proposal"), 0.0)
    visit["late_days"] = np.maximum(np.where(due // DAY < visit["sent"] // DAY, late, 0.0), 0.0)
    silence = company.no_repeat * np.exp(-0.35 * deals.diligence[deal])
    visit["no_repeat_contact"] = proposing & draws.happens(f"repeat/{number}", slot, silence)
    pause = company.repeat_days * draws.spread(f"repeat_days/{number}", slot, 0.5)
    sent = np.where(proposing, visit["sent"], entered)
    repeats = proposing & ~visit["no_repeat_contact"]
    visit["repeated"] = np.where(repeats, clock.after_work(sent, pause), NEVER)
    reviewing = (stage == LEGAL) & ~visit["clicked"]
    visit["legal_stalled"] = reviewing & draws.happens(f"stall/{number}", slot, company.legal_stall)
    legal = company.legal_days * draws.spread(f"legal/{number}", slot, 0.4)
    legal = legal * np.where(visit["legal_stalled"], company.legal_stall_factor, 1.0)
    visit["reviewed"] = np.where(reviewing, clock.after_work(entered, legal), NEVER)


def _due(company: Company, task: str) -> float:
    return next(plan.due for plan in company.tasks if plan.name == task)


def _penalties(company: Company, deals: Deals, visit: Table, contact_at: Ints) -> Floats:
    """What each planted cause takes off the log odds, (visits, causes); zero for `none`."""
    effects, stage, late = company.effects, visit["stage"], visit["late_days"]
    no_contact = (stage == NEGOTIATION) | (stage == LEGAL)
    no_contact &= contact_at > visit["entered"]
    visit["no_decision_maker"] = no_contact & ~visit["clicked"]
    visit["pressed"] = deals.pressed[visit["deal"]] & (stage == NEGOTIATION) & ~visit["clicked"]
    grown = 0.3 + 0.7 * np.minimum(late / effects.late_in_full, 1.0)
    size = np.zeros((len(stage), len(CAUSES)))
    size[:, 1] = effects.late_proposal * grown * (late > 0)
    size[:, 2] = effects.no_decision_maker * visit["no_decision_maker"]
    size[:, 3] = effects.no_repeat_contact * visit["no_repeat_contact"]
    size[:, 4] = effects.legal_stalled * visit["legal_stalled"]
    size[:, 5] = effects.price * visit["pressed"]
    return size


def _clean_odds(company: Company, deals: Deals, visit: Table) -> Floats:
    """Log odds to pass on a journey without any planted cause, (visits,)."""
    deal, stage, effects = visit["deal"], visit["stage"], company.effects
    rate = np.array([s.pass_rate for s in company.stages])[stage]
    years = (visit["entered"] - clock.seconds(company.start)) / (365.25 * DAY)
    return (
        np.log(rate / (1 - rate))
        + np.array([s.odds for s in company.segments])[deals.segment[deal]]
        + np.array([t.odds for t in company.teams])[deals.team[deal]]
        + deals.skill[deal]
        + effects.quality * deals.quality[deal]
        + effects.two_way * visit["two_way"]
        + company.odds_drift * years
        + company.odds_wave * np.sin(2 * np.pi * years / 1.7)
    )


def _choose(company: Company, deals: Deals, draws: Draws, visit: Table, slot: Ints, contact_at: Ints) -> None:
    """The way out, whether the deal goes silent, and the planted cause of a loss.

    A cause is planted when the deal would have passed without the causes, at the same luck; the
    largest one present is named.
    """
    stage, number, clicked = visit["stage"], visit["round"][0], visit["clicked"]
    size, odds = _penalties(company, deals, visit, contact_at), _clean_odds(company, deals, visit)
    deal = visit["deal"]
    kept = np.ones(len(deal))
    codes = {"segment": deals.segment[deal], "team": deals.team[deal], "channel": deals.channel[deal]}
    for drop in sized(company, "conversion_drop", 0.0, visit["entered"], stage=stage, **codes):
        kept = kept * (1 - drop)
    clean = kept / (1 + np.exp(-odds))
    visit["pass_chance"] = np.where(clicked, 1.0, kept / (1 + np.exp(size.sum(axis=1) - odds)))
    luck = draws.uniform(f"pass/{number}", slot)
    lost = luck >= visit["pass_chance"]
    visit["cause"] = np.where(lost & (luck < clean), size.argmax(axis=1), 0)
    hush = company.silence + 0.9 * (size[:, 1] > 0) + 0.7 * visit["no_repeat_contact"]
    hush = hush - 0.5 * visit["two_way"] - 1.2 * (stage >= LEGAL) + 0.2 * (stage == QUALIFICATION)
    visit["silent"] = lost & draws.happens(f"silent/{number}", slot, 1 / (1 + np.exp(-hush)))
    part = draws.uniform(f"way/{number}", slot)
    back = (part < company.back) & (stage >= PROPOSAL) & ~clicked
    skip = (part > 1 - company.skip) & (stage <= NEGOTIATION) & ~clicked
    visit["way"] = np.select([lost, back, skip], [LOSS, BACK, SKIP], FORWARD)
    visit["next_stage"] = np.select([lost, back, skip], [LOST, stage - 1, stage + 2], stage + 1)


def _time(company: Company, deals: Deals, draws: Draws, visit: Table, slot: Ints) -> None:
    """When the visit is decided and when the record follows; what comes too late is cut."""
    stage, entered, number, way = visit["stage"], visit["entered"], visit["round"][0], visit["way"]
    clicked, lost, silent = visit["clicked"], visit["way"] == LOSS, visit["silent"]
    days = _days(company, deals, draws, visit, slot)
    days = np.where(silent, days * (0.2 + 0.6 * draws.uniform(f"fades/{number}", slot)), days)
    begins = np.where(stage == PROPOSAL, visit["sent"], np.where(stage == LEGAL, visit["reviewed"], entered))
    # Some customers leave while they still wait for the proposal.
    walks = lost & (stage == PROPOSAL) & draws.happens(f"walks/{number}", slot, 0.12)
    wait = np.where(clicked, 0, begins - entered)
    early = entered + (wait * draws.uniform(f"walks_at/{number}", slot)).astype(np.int64)
    ends = np.where(walks, early, np.where(clicked, entered, begins) + (days * DAY).astype(np.int64))
    ends = clock.in_working_hours(ends, draws.uniform(f"hour/{number}", slot))
    wins = (stage == SIGNING) & (way == FORWARD)
    ends = _pushed_into_quarter(draws, ends, entered, wins, number, slot)
    earliest = np.where(walks | (wait == 0), entered, begins) + 60
    decided = np.where(clicked, entered, np.maximum(ends, earliest))
    visit["decided"] = decided
    visit["left"] = np.where(silent, _cleaned(company, draws, decided, number, slot), decided)
    for work in ("prepared", "sent", "reviewed"):
        visit[work] = np.where(visit[work] > decided, NEVER, visit[work])
    visit["repeated"] = np.where(
        (visit["repeated"] > visit["left"]) | (visit["sent"] == NEVER), NEVER, visit["repeated"]
    )


def _days(company: Company, deals: Deals, draws: Draws, visit: Table, slot: Ints) -> Floats:
    """Calendar days the visit takes beside its own work, (visits,)."""
    deal, stage, entered, number = visit["deal"], visit["stage"], visit["entered"], visit["round"][0]
    days = np.array([s.days for s in company.stages])[stage]
    days = days * np.array([s.cycle for s in company.segments])[deals.segment[deal]]
    days = days * draws.spread(f"days/{number}", slot, company.duration_spread)
    month = entered.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
    days = days * np.where((month == 6) | (month == 7), 1 + company.summer_slower, 1.0)
    days = days * np.where(visit["again"], 0.6, 1.0)
    codes = {"segment": deals.segment[deal], "team": deals.team[deal], "channel": deals.channel[deal]}
    for size in sized(company, "stage_slower", 0.0, entered, stage=stage, **codes):
        days = days + size
    return days


def _pushed_into_quarter(
    draws: Draws,
    ends: Ints,
    entered: Ints,
    wins: Bools,
    number: int,
    slot: Ints,
) -> Ints:
    """Two thirds of the wins due just after a quarter's end are hurried into its last days."""
    last = clock.quarter_before(ends)
    near = wins & (ends - last < 17 * DAY) & (entered < last - 2 * DAY)
    near &= draws.happens(f"hurry/{number}", slot, 0.65)
    hurried = last - (draws.uniform(f"hurry_day/{number}", slot) * 2).astype(np.int64) * DAY
    hour = clock.OPENS + (draws.uniform(f"hurry_hour/{number}", slot) * clock.WORK).astype(np.int64)
    day = hurried // DAY
    weekend = np.maximum(clock.weekday(day) - 4, 0)
    return np.where(near, (day - weekend) * DAY + hour, ends)


def _cleaned(company: Company, draws: Draws, decided: Ints, number: int, slot: Ints) -> Ints:
    """When a silent deal is closed in the record: weeks later, often in the month's mass cleaning."""
    days = np.maximum(company.silent_days * draws.spread(f"cleaned/{number}", slot, 0.5), 7.0)
    later = decided + (days * DAY).astype(np.int64)
    later = clock.in_working_hours(later, draws.uniform(f"cleaned_hour/{number}", slot))
    mass = draws.happens(f"mass/{number}", slot, company.mass_cleaning)
    rush = 16 * 3600 + 1800 + (draws.uniform(f"rush/{number}", slot) * 120).astype(np.int64)
    return np.where(mass, clock.month_end(later) + rush, later)


def _advance(company: Company, deals: Deals, draws: Draws, state: _State, visit: Table) -> Ints:
    """Moves the deals on and returns those still open, with the lost ones that are reopened."""
    deal, stage, left, number = visit["deal"], visit["stage"], visit["left"], visit["round"][0]
    slot = deals.slot[deal]
    state.seen[deal, stage] = True
    lost = visit["next_stage"] == LOST
    again = lost & ~state.reopened[deal] & draws.happens(f"reopen/{number}", slot, company.reopen)
    days = 40.0 * draws.spread(f"reopen_days/{number}", slot, 0.6)
    moment = left + (days * DAY).astype(np.int64)
    moment = clock.in_working_hours(moment, draws.uniform(f"reopen_hour/{number}", slot))
    visit["reopened_at"] = np.where(again, np.maximum(moment, left + 3600), NEVER)
    goes_on = again | (visit["next_stage"] < WON)
    state.stage[deal] = np.where(again, np.clip(stage, DISCOVERY, PROPOSAL), visit["next_stage"])
    state.entered[deal] = np.where(again, visit["reopened_at"], left)
    state.reopened[deal] |= again
    # A manager in a hurry clicks through the next stage within the same second.
    through = draws.happens(f"click/{number}", slot, company.click_through)
    state.clicked[deal] = through & (visit["way"] == FORWARD) & (visit["next_stage"] < LEGAL)
    return deal[goes_on]
