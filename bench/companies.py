"""Departments by the hundred, for judging the early warning: the facts that charts read, drawn directly.

A department has its own volumes, stages, segments, channels, teams, cycle lengths, drift, seasons, quarter-end push and
silent losses, all drawn by its seed; a fault may be planted in it. Time runs on workdays (floats); a stay, a step and a
deal are rows of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

START = date(2022, 1, 3)
FAULTS = ("slow_task", "slow_stage", "mix_shift", "volume_drop", "conversion_drop", "lead_quality")


@dataclass(frozen=True)
class Department:
    """What is drawn of a department. Shares sum to one; log-odds are of losing a deal in a stage."""

    seed: int
    days: int
    deals_a_week: float
    loss: Floats  # (stages,) log-odds
    median_days: Floats  # (stages,) workdays
    task_share: Floats  # (stages, 2) median of each step, as part of the stage's
    segments: Floats  # (channels, segments) share within each channel
    channels: Floats
    teams: Floats
    segment_loss: Floats  # (stages, segments)
    team_loss: Floats
    channel_loss: Floats
    cycle: Floats  # (segments,) factor
    pace: Floats  # (teams,) factor
    spread: float
    growth: float
    drift: float  # log-odds a year
    wave: float
    summer_dip: float
    summer_slower: float
    push: float
    silent: float
    silent_days: float
    cleaning: float
    bursts: float

    @classmethod
    def draw(
        cls, seed: int, days: int, drift: float = 1.0, silent: float | None = None, is_medium: bool = False
    ) -> Department:
        """Draw one.

        `drift` multiplies all that moves slowly; `silent` is the share of losses that nobody records in time; a medium
        one has 150 deals a week, six stages, four segments, three channels, four teams, and the rest drawn.
        """
        rng = np.random.default_rng([seed, 1])
        stages, segments = int(rng.integers(4, 9)), int(rng.integers(3, 6))
        channels, teams = int(rng.integers(3, 6)), int(rng.integers(3, 6))
        deals_a_week = float(np.exp(rng.uniform(np.log(60), np.log(400))))
        if is_medium:
            stages, segments, channels, teams, deals_a_week = 6, 4, 3, 4, 150.0

        def shares(n: int) -> Floats:
            return rng.dirichlet(np.full(n, 12.0))

        by_segment, tilt = shares(segments), np.exp(0.4 * rng.standard_normal((channels, segments)))
        mix = by_segment * tilt
        return cls(
            seed=seed,
            days=days,
            deals_a_week=deals_a_week,
            loss=np.log(1 / rng.uniform(0.70, 0.92, stages) - 1),
            median_days=rng.uniform(4, 18, stages),
            task_share=rng.uniform(0.25, 0.8, (stages, 2)),
            segments=mix / mix.sum(axis=1, keepdims=True),
            channels=shares(channels),
            teams=shares(teams),
            segment_loss=0.2 * rng.standard_normal((stages, segments)),
            team_loss=0.15 * rng.standard_normal(teams),
            channel_loss=0.2 * rng.standard_normal(channels),
            cycle=np.exp(0.2 * rng.standard_normal(segments)),
            pace=np.exp(0.1 * rng.standard_normal(teams)),
            spread=float(rng.uniform(0.4, 0.7)),
            growth=drift * float(rng.uniform(-0.04, 0.10)),
            drift=drift * float(rng.uniform(-0.06, 0.06)),
            wave=drift * float(rng.uniform(0.0, 0.05)),
            summer_dip=float(rng.uniform(0.05, 0.25)),
            summer_slower=float(rng.uniform(0.0, 0.15)),
            push=float(rng.uniform(0.05, 0.25)),
            silent=float(rng.uniform(0.15, 0.40)) if silent is None else silent,
            silent_days=float(rng.uniform(10, 25)),
            cleaning=float(rng.uniform(0.2, 0.6)),
            bursts=float(rng.uniform(0.0, 0.08)),
        )


@dataclass(frozen=True)
class Fault:
    """What goes wrong, where, and from which workday on; it touches what begins then or later."""

    kind: str
    onset: float
    stage: int | None = None
    segment: int | None = None
    channel: int | None = None
    team: int | None = None
    size: float = 0.0


def plant(kind: str, department: Department, onset: float) -> Fault:
    """A fault of the kind, where it could strike: a group of at least a sixth, a stage in the middle."""
    rng = np.random.default_rng([department.seed, 2, FAULTS.index(kind)])
    stages = len(department.loss)

    def group(shares: Floats) -> int:
        return int(rng.choice(np.flatnonzero(shares >= min(1 / 6, np.sort(shares)[-2]))))

    by_segment = department.channels @ department.segments
    middle = int(rng.integers(1, stages - 1))
    where: dict[str, Any] = {
        "slow_task": {"stage": middle, "team": group(department.teams), "size": 2.0},
        "slow_stage": {"stage": stages - 2, "size": 15.0},
        "mix_shift": {"segment": group(by_segment), "size": 0.4},
        "volume_drop": {"channel": group(department.channels), "size": 0.25},
        "conversion_drop": {"stage": middle, "segment": group(by_segment), "size": 0.25},
        "lead_quality": {"channel": group(department.channels), "size": 0.6},
    }[kind]
    return Fault(kind, onset, **where)


@dataclass
class Calendar:
    """Workdays of the department: weekdays without a few holidays."""

    days: int
    dates: npt.NDArray[np.datetime64] = field(init=False)

    def __post_init__(self) -> None:
        every = np.array([START + timedelta(days=n) for n in range(self.days)], dtype="datetime64[D]")
        self.all = every
        weekday = (every.astype(int) + 3) % 7
        month_day = np.array([(d.month, d.day) for d in every.astype(object)])
        holiday = np.isin(month_day[:, 0] * 100 + month_day[:, 1], [101, 501, 1225, 1226])
        self.is_workday = (weekday < 5) & ~holiday
        self.weekday = weekday
        self.dates = every[self.is_workday]

    def at(self, workday: Floats) -> npt.NDArray[np.datetime64]:
        """Moments in office hours; NaT beyond the end."""
        whole = np.floor(workday)
        beyond = ~(whole < len(self.dates))
        index = np.where(beyond, 0, whole).astype(int)
        part = np.where(beyond, 0, workday) - index
        moment = self.dates[index].astype("datetime64[s]") + (9 * 3600 + part * 28800).astype("timedelta64[s]")
        moment[beyond] = np.datetime64("NaT")
        return moment


def _struck(fault: Fault | None, kind: str, when: Floats, **codes: Any) -> npt.NDArray[np.bool_]:
    if fault is None or fault.kind != kind:
        return np.zeros(len(when), dtype=bool)
    hit = when >= fault.onset
    for name, values in codes.items():
        wanted = getattr(fault, name)
        if wanted is not None:
            hit &= values == wanted
    return hit


def simulate(department: Department, fault: Fault | None = None) -> dict[str, pd.DataFrame]:
    """The facts of the department up to its last day, by model name."""
    d, calendar = department, Calendar(department.days)
    rng = np.random.default_rng([d.seed, 3])
    n_workdays = len(calendar.dates)
    month = (calendar.dates.astype("datetime64[M]").astype(int)) % 12
    year = np.arange(n_workdays) / 260
    summer = np.isin(month, (6, 7))
    quarter_end = np.zeros(n_workdays)
    quarter = calendar.dates.astype("datetime64[M]").astype(int) // 3
    ends = np.append(np.flatnonzero(np.diff(quarter)), 10**6)
    quarter_end = ends[np.searchsorted(ends, np.arange(n_workdays))]

    weekly = np.exp(d.bursts * rng.standard_normal(n_workdays // 5 + 1))[np.arange(n_workdays) // 5]
    monday = 1 + 0.15 * ((calendar.dates.astype(int) + 3) % 7 == 0)
    rate = d.deals_a_week / 5 * (1 + d.growth) ** year * np.where(summer, 1 - d.summer_dip, 1) * weekly * monday / 1.03
    created = np.repeat(np.arange(n_workdays), rng.poisson(rate)) * 1.0
    created += rng.random(len(created))
    channel = rng.choice(len(d.channels), len(created), p=d.channels)
    kept = ~(
        _struck(fault, "volume_drop", created, channel=channel)
        & (rng.random(len(created)) < (fault.size if fault else 0))
    )
    created, channel = created[kept], channel[kept]
    n = len(created)
    segment = (
        (rng.random(n)[:, None] > np.cumsum(d.segments, axis=1)[channel]).sum(axis=1).clip(0, d.segments.shape[1] - 1)
    )
    leaves = _struck(fault, "mix_shift", created, segment=segment) & (rng.random(n) < (fault.size if fault else 0))
    segment[leaves] = (segment[leaves] + rng.integers(1, d.segments.shape[1], leaves.sum())) % d.segments.shape[1]
    team = rng.choice(len(d.teams), n, p=d.teams)
    quality = 0.3 * rng.standard_normal(n) + d.channel_loss[channel] + d.team_loss[team]
    quality += np.where(_struck(fault, "lead_quality", created, channel=channel), fault.size if fault else 0, 0)

    visits, steps = [], []
    deal, at = np.arange(n), created.copy()
    for stage in range(len(d.loss)):
        seg, tm = segment[deal], team[deal]
        t = at.clip(0, n_workdays - 1).astype(int)
        slow = np.where(summer[t], 1 + d.summer_slower, 1) * d.cycle[seg] * d.pace[tm]
        own = np.exp(d.spread * rng.standard_normal(len(deal)))
        days = d.median_days[stage] * slow * own
        late = np.zeros(len(deal))
        taken = []
        for k in range(2):
            took = d.median_days[stage] * d.task_share[stage, k] * slow * np.sqrt(own)
            took = took * np.exp(0.4 * rng.standard_normal(len(deal)))
            hit = (
                _struck(fault, "slow_task", at, stage=np.full(len(deal), stage), team=tm)
                if k == 0
                else np.zeros(len(deal), bool)
            )
            extra = np.where(hit, took * ((fault.size if fault else 1) - 1), 0)
            hit = _struck(fault, "slow_stage", at, stage=np.full(len(deal), stage))
            extra += np.where(hit, fault.size if fault else 0, 0)
            late = np.maximum(late, extra)
            taken.append(took + extra)
        days = days + late
        log_odds = d.loss[stage] + d.segment_loss[stage, seg] + quality[deal]
        log_odds += d.drift * at / 260 + d.wave * np.sin(at / 260 * 2 * np.pi / 1.7) + 0.03 * late.clip(0, 10)
        loses = 1 / (1 + np.exp(-log_odds))
        hit = _struck(fault, "conversion_drop", at, stage=np.full(len(deal), stage), segment=seg)
        loses = np.where(hit, 1 - (1 - loses) * (1 - (fault.size if fault else 0)), loses)
        is_lost = rng.random(len(deal)) < loses
        silent = is_lost & (rng.random(len(deal)) < d.silent)
        leaves_at = at + days + np.where(silent, rng.exponential(d.silent_days, len(deal)), 0)
        swept = silent & (rng.random(len(deal)) < d.cleaning)
        cleaning = np.ceil((leaves_at - 3 * tm) / 15) * 15 + 3 * tm + 0.5
        leaves_at = np.where(swept, np.maximum(cleaning, leaves_at), leaves_at)
        ends_on = quarter_end[leaves_at.clip(0, n_workdays - 1).astype(int)]
        begun_on = np.concatenate([[0], ends[:-1] + 1])[
            np.searchsorted(ends, leaves_at.clip(0, n_workdays - 1).astype(int))
        ]
        pulled = ~is_lost & (leaves_at - begun_on < 10) & (begun_on - 3 > at) & (rng.random(len(deal)) < d.push)
        leaves_at = np.where(pulled, begun_on - 3 + 2.9 * rng.random(len(deal)), leaves_at)
        del ends_on
        visits.append(
            pd.DataFrame(
                {
                    "deal": deal,
                    "stage": stage,
                    "entered": at,
                    "exited": leaves_at,
                    "is_lost": is_lost,
                    "segment": seg,
                    "team": tm,
                }
            )
        )
        for k in range(2):
            done = at + taken[k]
            in_time = done <= leaves_at
            with_exit = ~in_time & ~is_lost & (rng.random(len(deal)) < 0.6)
            steps.append(
                pd.DataFrame(
                    {
                        "deal": deal,
                        "stage": stage,
                        "k": k,
                        "triggered": at,
                        "done": np.where(in_time, done, np.where(with_exit, leaves_at, np.inf)),
                        "skipped": np.where(~in_time & ~with_exit & ~is_lost, leaves_at, np.inf),
                        "ended": np.where(is_lost, leaves_at, np.inf),
                        "segment": seg,
                        "team": tm,
                    }
                )
            )
        goes_on = ~is_lost
        deal, at = deal[goes_on], leaves_at[goes_on]
        goes_on = at < n_workdays
        deal, at = deal[goes_on], at[goes_on]
    return _tables(d, calendar, created, segment, channel, team, pd.concat(visits), pd.concat(steps), deal, at)


def _tables(
    d: Department,
    calendar: Calendar,
    created: Floats,
    segment: Ints,
    channel: Ints,
    team: Ints,
    visits: pd.DataFrame,
    steps: pd.DataFrame,
    won: Ints,
    won_at: Floats,
) -> dict[str, pd.DataFrame]:
    """The facts under the names and columns of the models."""
    last = START + timedelta(days=d.days - 1)
    names = {kind: np.array([f"{kind}_{n}" for n in range(9)]) for kind in ("segment", "channel", "team", "stage")}
    deal_ids = np.char.add("d", np.arange(len(created)).astype(str))
    exited = calendar.at(visits.exited.to_numpy())
    is_lost, gone = visits.is_lost.to_numpy(), ~np.isnat(exited)
    stage = visits.stage.to_numpy()
    final = np.where(is_lost, "lost", np.where(stage == len(d.loss) - 1, "won", names["stage"][(stage + 1).clip(0, 8)]))
    fct_visits = pd.DataFrame(
        {
            "deal_id": deal_ids[visits.deal],
            "stage_id": names["stage"][stage],
            "next_stage_id": np.where(gone, final, None),
            "owner_id": names["team"][visits.team],
            "segment": names["segment"][visits.segment],
            "channel": names["channel"][channel[visits.deal]],
            "team": names["team"][visits.team],
            "exit_type": np.where(~gone, "still_there", np.where(is_lost, "lost", "advanced")),
            "is_left_truncated": False,
            "is_after_closing": False,
            "entered_at": calendar.at(visits.entered.to_numpy()),
            "exited_at": exited,
        }
    )
    closed = fct_visits[gone & np.isin(final, ["won", "lost"])]
    terminal = pd.DataFrame(
        {
            "deal_id": closed.deal_id,
            "stage_id": closed.next_stage_id,
            "owner_id": closed.owner_id,
            "segment": closed.segment,
            "channel": closed.channel,
            "team": closed.team,
            "exit_type": "still_there",
            "is_left_truncated": False,
            "is_after_closing": False,
            "entered_at": closed.exited_at,
        }
    )
    fct_steps = pd.DataFrame(
        {
            "deal_id": deal_ids[steps.deal],
            "stage_id": names["stage"][steps.stage],
            "step": np.char.add(np.char.add(names["stage"][steps.stage], "_step_"), steps.k.to_numpy().astype(str)),
            "owner_id": names["team"][steps.team],
            "segment": names["segment"][steps.segment],
            "triggered_at": calendar.at(steps.triggered.to_numpy()),
            "done_at": calendar.at(steps.done.to_numpy()),
            "skipped_at": calendar.at(steps.skipped.to_numpy()),
            "ended_at": calendar.at(steps.ended.to_numpy()),
        }
    )
    amounts = np.exp(9 + np.random.default_rng([d.seed, 4]).standard_normal(len(created)))
    return {
        "stg_as_of": pd.DataFrame({"as_of": [datetime(last.year, last.month, last.day, 23, 59, 59)]}),
        "dim_dates": pd.DataFrame(
            {
                "date_day": calendar.all,
                "iso_day_of_week": (calendar.weekday + 1).astype("int32"),
                "is_business_day": calendar.is_workday,
                "quarter_start_date": pd.to_datetime(calendar.all).to_period("Q").start_time,
            }
        ),
        "dim_users": pd.DataFrame({"user_id": names["team"], "team": names["team"]}),
        "dim_stages": pd.DataFrame(
            {
                "stage_id": [*names["stage"][: len(d.loss)], "won", "lost"],
                "stage": [*names["stage"][: len(d.loss)], "won", "lost"],
                "position": np.arange(len(d.loss) + 2),
                "is_won": [*[False] * len(d.loss), True, False],
                "is_lost": [*[False] * len(d.loss), False, True],
            }
        ),
        "dim_deals": pd.DataFrame(
            {
                "deal_id": deal_ids,
                "segment": names["segment"][segment],
                "channel": names["channel"][channel],
                "team": names["team"][team],
                "amount": amounts.round(2),
                "currency": "EUR",
                "created_at": calendar.at(created),
            }
        ),
        "fct_stage_visits": pd.concat([fct_visits, terminal], ignore_index=True),
        "fct_journey_steps": fct_steps,
    }


def named(fault: Fault) -> dict[str, str | None]:
    """Where a fault is, by the names in the tables."""
    return {
        kind: None if getattr(fault, kind) is None else f"{kind}_{getattr(fault, kind)}"
        for kind in ("stage", "segment", "channel", "team")
    }


__all__ = ["FAULTS", "Calendar", "Department", "Fault", "named", "plant", "replace", "simulate"]
