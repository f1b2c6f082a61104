"""The parameters of the example company: who sells what to whom, and what the journey does to a deal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from zlib import crc32

import numpy as np


@dataclass(frozen=True)
class Stage:
    """A working stage: median days, chance to pass on a clean journey, activities of one visit."""

    name: str
    phase: str
    days: float
    pass_rate: float
    activities: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """A customer segment: share of deals, factor of the cycle, median amount, shift of the odds to pass."""

    name: str
    share: float
    cycle: float
    amount: float
    odds: float
    margin: float
    decision_maker: float
    """Chance factor that a decision maker is involved at all."""
    employees: float


@dataclass(frozen=True)
class Channel:
    """A source of deals: share, lead quality (in deviations), factors of the segments' shares."""

    name: str
    share: float
    quality: float
    mix: tuple[float, ...]


@dataclass(frozen=True)
class Team:
    """A sales team of one region: share of deals, shift of the odds, factor of proposal time."""

    name: str
    share: float
    odds: float
    pace: float


@dataclass(frozen=True)
class Product:
    """A product: share of deals and factor of the amount."""

    name: str
    share: float
    price: float


@dataclass(frozen=True)
class TaskPlan:
    """A task created on stage entry: working days to its due date and to its end, chance never done.

    Tasks whose end belongs to the journey (proposal, decision maker, legal review, signing) take only
    the due date from here.
    """

    name: str
    stage: str
    due: float
    days: float = 0.0
    never: float = 0.0


@dataclass(frozen=True)
class Effects:
    """What the journey does to the log odds to pass a stage."""

    quality: float = 0.45
    two_way: float = 0.35
    late_proposal: float = 1.5
    """Taken off in full at `late_in_full` working days late, three tenths of it at once."""
    late_in_full: float = 8.0
    no_decision_maker: float = 1.1
    no_repeat_contact: float = 0.9
    legal_stalled: float = 1.8
    price: float = 1.1


FAULT_KINDS = (
    "slow_task",
    "conversion_drop",
    "stage_slower",
    "mix_shift",
    "volume_drop",
    "lead_quality",
)


@dataclass(frozen=True)
class Fault:
    """A planted problem that touches what begins on or after `started_on` and fits every name given.

    size: slow_task, times as long; conversion_drop and volume_drop, part lost (0 to 1); stage_slower,
    days added; mix_shift, part of a segment's inbound deals that go elsewhere; lead_quality,
    deviations taken off the quality.
    """

    kind: str
    started_on: date
    stage: str | None = None
    segment: str | None = None
    channel: str | None = None
    team: str | None = None
    size: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; known are {', '.join(FAULT_KINDS)}")


STAGES = (
    Stage("Qualification", "presale", 8, 0.74, 4.6, 0.10),
    Stage("Discovery", "presale", 20, 0.75, 5.6, 0.20),
    Stage("Proposal", "sale", 17, 0.78, 4.6, 0.40),
    Stage("Negotiation", "sale", 22, 0.82, 5.4, 0.60),
    Stage("Legal review", "documents", 5, 0.95, 3.6, 0.80),
    Stage("Signing", "documents", 8, 0.97, 3.0, 0.90),
)
SEGMENTS = (
    Segment("enterprise", 0.18, 1.30, 140_000, -0.15, 0.34, 0.90, 4_000),
    Segment("mid_market", 0.34, 1.00, 32_000, 0.00, 0.40, 1.00, 400),
    Segment("small_business", 0.36, 0.85, 8_000, 0.10, 0.46, 1.15, 40),
    Segment("public_sector", 0.12, 1.35, 75_000, -0.10, 0.30, 0.85, 1_200),
)
CHANNELS = (
    Channel("inbound", 0.40, 0.20, (0.6, 1.1, 1.3, 0.7)),
    Channel("outbound", 0.28, -0.35, (1.5, 1.1, 0.6, 0.9)),
    Channel("partner", 0.18, 0.35, (1.3, 1.0, 0.7, 1.6)),
    Channel("event", 0.14, -0.10, (0.9, 0.9, 1.1, 1.2)),
)
TEAMS = (
    Team("North", 0.27, 0.05, 1.00),
    Team("South", 0.26, 0.00, 0.95),
    Team("East", 0.23, -0.10, 1.10),
    Team("West", 0.24, 0.05, 1.00),
)
PRODUCTS = (Product("Core", 0.50, 0.80), Product("Plus", 0.34, 1.15), Product("Platform", 0.16, 1.70))
TASKS = (
    TaskPlan("first_contact", "Qualification", 1, 0.5, 0.03),
    TaskPlan("involve_decision_maker", "Discovery", 10),
    TaskPlan("prepare_proposal", "Proposal", 5),
    TaskPlan("send_proposal", "Proposal", 7),
    TaskPlan("repeat_contact", "Proposal", 5),
    TaskPlan("collect_feedback", "Negotiation", 5, 3.5, 0.20),
    TaskPlan("contract_draft", "Negotiation", 9, 6.0, 0.04),
    TaskPlan("legal_review", "Legal review", 10),
    TaskPlan("signing", "Signing", 7),
    TaskPlan("hand_over", "Won", 5, 3.0, 0.05),
)


def _default_fault(until: date) -> tuple[Fault, ...]:
    return (Fault("slow_task", until - timedelta(weeks=8), stage="Proposal", team="North", size=2.0),)


@dataclass(frozen=True)
class Company:
    """All that is fixed about a company; the same company gives the same world, byte for byte.

    Chances are 0 to 1, rates a year are factors, durations are days unless they say working days.
    Deals are created from `start` through the end of `until`. Without `faults` the default company
    has one: team North's proposals take twice as long since eight weeks before `until`; `()` is clean.
    """

    seed: int = 7
    start: date = date(2024, 7, 1)
    until: date = date(2026, 6, 30)
    pipeline: str = "sales"
    currency: str = "EUR"
    deals_per_week: float = 150.0
    growth: float = 0.04
    weekdays: tuple[float, ...] = (0.22, 0.21, 0.20, 0.19, 0.15, 0.02, 0.01)
    summer_dip: float = 0.20
    quarter_push: float = 0.12
    odds_drift: float = -0.02
    """Shift of the log odds a year; `odds_wave` is the size of a slow wave on top."""
    odds_wave: float = 0.03
    summer_slower: float = 0.12
    stages: tuple[Stage, ...] = STAGES
    segments: tuple[Segment, ...] = SEGMENTS
    channels: tuple[Channel, ...] = CHANNELS
    teams: tuple[Team, ...] = TEAMS
    products: tuple[Product, ...] = PRODUCTS
    tasks: tuple[TaskPlan, ...] = TASKS
    effects: Effects = field(default_factory=Effects)
    managers_per_team: int = 5
    duration_spread: float = 0.50
    proposal_days: float = 3.4
    """Median working days to prepare a proposal; sending it takes `sending_days` more."""
    sending_days: float = 0.7
    repeat_days: float = 3.0
    no_repeat: float = 0.24
    legal_days: float = 6.0
    legal_stall: float = 0.12
    legal_stall_factor: float = 3.0
    decision_maker: tuple[float, ...] = (0.12, 0.38, 0.14, 0.10)
    """Chance that a decision maker comes in during each of the first four stages; the rest never."""
    competition: float = 0.35
    price_pressed: float = 0.18
    skip: float = 0.03
    click_through: float = 0.015
    back: float = 0.05
    reopen: float = 0.045
    resave: float = 0.012
    silence: float = -0.55
    """Log odds that a lost deal just goes silent; silent deals are closed `silent_days` later."""
    silent_days: float = 26.0
    mass_cleaning: float = 0.5
    late_record: float = 0.04
    due_moved: float = 0.16
    burst: float = 0.12
    new_account: float = 0.75
    owner_change: float = 0.04
    deleted: float = 0.006
    cycle_guess: float = 82.0
    """Days to close a manager expects of a new deal, before the segment's factor."""
    month_end_edits: float = 0.30
    never_used: float = 0.08
    first_use_days: float = 40.0
    refund: float = 0.05
    faults: tuple[Fault, ...] | None = None

    def __post_init__(self) -> None:
        if self.faults is None:
            object.__setattr__(self, "faults", _default_fault(self.until))
        for fault in self.planted:
            self._check(fault)

    def _check(self, fault: Fault) -> None:
        """A fault that names what the company has not would silently do nothing."""
        known = {
            "stage": self.stages,
            "segment": self.segments,
            "channel": self.channels,
            "team": self.teams,
        }
        for kind, values in known.items():
            name = getattr(fault, kind)
            if name is not None and name not in [value.name for value in values]:
                raise ValueError(f"the company has no {kind} {name!r}")

    @property
    def planted(self) -> tuple[Fault, ...]:
        """The planted problems; empty for a clean company."""
        return self.faults or ()

    @property
    def stage_names(self) -> tuple[str, ...]:
        """All stages in order: the working ones, then Won and Lost."""
        return (*(stage.name for stage in self.stages), "Won", "Lost")

    @classmethod
    def draw(cls, seed: int, **changes: object) -> Company:
        """A company with other habits, drawn by the seed and free of faults unless `changes` has some."""
        rng = np.random.default_rng([seed, crc32(b"company")])

        def near(value: float, sigma: float) -> float:
            return float(value * np.exp(sigma * rng.standard_normal()))

        def chance(value: float, sigma: float) -> float:
            return min(near(value, sigma), 0.9)

        def rate(value: float) -> float:
            return float(1 / (1 + (1 / value - 1) * np.exp(-0.15 * rng.standard_normal())))

        base = cls()
        cycle, price = near(1, 0.12), near(1, 0.3)
        drawn: dict[str, object] = {
            "seed": seed,
            "deals_per_week": near(base.deals_per_week, 0.15),
            "growth": float(rng.uniform(-0.02, 0.10)),
            "summer_dip": chance(base.summer_dip, 0.3),
            "odds_drift": float(rng.uniform(-0.06, 0.04)),
            "stages": tuple(
                replace(
                    s,
                    days=near(s.days * cycle, 0.12),
                    pass_rate=rate(s.pass_rate),
                    activities=near(s.activities, 0.08),
                )
                for s in base.stages
            ),
            "segments": tuple(
                replace(
                    s,
                    share=near(s.share, 0.25),
                    cycle=near(s.cycle, 0.08),
                    amount=near(s.amount * price, 0.2),
                    odds=s.odds + 0.1 * float(rng.standard_normal()),
                    margin=near(s.margin, 0.08),
                )
                for s in base.segments
            ),
            "channels": tuple(
                replace(c, share=near(c.share, 0.25), quality=c.quality + 0.15 * float(rng.standard_normal()))
                for c in base.channels
            ),
            "teams": tuple(
                replace(
                    t,
                    share=near(t.share, 0.15),
                    odds=t.odds + 0.08 * float(rng.standard_normal()),
                    pace=near(t.pace, 0.1),
                )
                for t in base.teams
            ),
            "effects": Effects(
                quality=near(0.45, 0.2),
                two_way=near(0.35, 0.2),
                late_proposal=near(1.5, 0.25),
                no_decision_maker=near(1.1, 0.25),
                no_repeat_contact=near(0.9, 0.25),
                legal_stalled=near(1.8, 0.25),
                price=near(1.1, 0.25),
            ),
            "proposal_days": near(base.proposal_days, 0.12),
            "no_repeat": chance(base.no_repeat, 0.25),
            "legal_stall": chance(base.legal_stall, 0.3),
            "silence": base.silence + 0.2 * float(rng.standard_normal()),
            "silent_days": near(base.silent_days, 0.15),
            "mass_cleaning": chance(base.mass_cleaning, 0.2),
            "back": chance(base.back, 0.25),
            "reopen": chance(base.reopen, 0.25),
            "first_use_days": near(base.first_use_days, 0.2),
            "faults": (),
        }
        return replace(base, **{**drawn, **changes})  # type: ignore[arg-type]
