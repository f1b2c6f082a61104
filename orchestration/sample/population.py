"""Who comes: the deals with their latent traits, their accounts, and the users who own them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from orchestration.sample.clock import DAY, NEVER, OPENS, WORK, Bools, Floats, Ints, seconds, weekday
from orchestration.sample.company import Company
from orchestration.sample.draws import Draws, pick
from orchestration.sample.faults import sized


@dataclass(frozen=True)
class Deals:
    """The deals in order of creation; every array is (deals,), codes are positions in the company's tuples.

    slot: the deal's own place among the draws; created: seconds; amount: the first one, in currency;
    expected: the first expected close date, in days since 1970; account: row of the account's first
    deal; quality, engagement, price_pressure and diligence (the owner's): standard deviations;
    contact_stage: the stage at which a decision maker comes in, NEVER for none.
    """

    slot: Ints
    created: Ints
    channel: Ints
    segment: Ints
    team: Ints
    region: Ints
    owner: Ints
    product: Ints
    account: Ints
    amount: Floats
    margin: Floats
    expected: Ints
    quality: Floats
    engagement: Floats
    diligence: Floats
    skill: Floats
    price_pressure: Floats
    pressed: Bools
    competitor: Bools
    contact_stage: Ints

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(frozen=True)
class Users:
    """Managers first, team by team, then one lead a team; every array is (users,).

    diligence and skill are deviations (zero for leads).
    """

    team: Ints
    lead: Ints
    diligence: Floats
    skill: Floats


def draw_users(company: Company) -> Users:
    """The managers and their leads."""
    teams = len(company.teams)
    managers = teams * company.managers_per_team
    team = np.concatenate([np.repeat(np.arange(teams), company.managers_per_team), np.arange(teams)])
    draws = Draws(company.seed, managers)
    everyone = np.arange(managers)
    diligence = np.concatenate([draws.normal("user/diligence", everyone), np.zeros(teams)])
    skill = np.concatenate([0.15 * draws.normal("user/skill", everyone), np.zeros(teams)])
    return Users(team, managers + team, diligence, skill)


def arrivals(company: Company) -> Ints:
    """Creation times of all deals that would come without faults, in seconds, sorted."""
    first = seconds(company.start) // DAY
    days = np.arange(first, seconds(company.until + timedelta(days=1)) // DAY)
    years = (days - first) / 365.25
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    rate = company.deals_per_week * np.array(company.weekdays)[weekday(days)]
    rate = rate * (1 + company.growth) ** years
    rate = rate * np.where((month == 6) | (month == 7), 1 - company.summer_dip, 1.0)
    rate = rate * np.where(month % 3 == 2, 1 + company.quarter_push, 1.0)
    # The week between the years is nearly empty.
    rest = days.astype("datetime64[D]").astype(str)
    rate = rate * np.where([day[5:] in _REST_DAYS for day in rest], 0.25, 1.0)
    rng = Draws(company.seed, 0).stream("arrivals")
    day = np.repeat(days, rng.poisson(rate))
    return np.sort(day * DAY + OPENS + (rng.beta(1.6, 1.7, len(day)) * WORK).astype(np.int64))


_REST_DAYS = {f"12-{day}" for day in range(24, 32)} | {"01-01", "01-02"}


def draw_deals(company: Company, users: Users) -> tuple[Deals, Draws]:
    """All deals with their traits, and the draws of their slots."""
    created = arrivals(company)
    if not len(created):
        raise ValueError("the company has no deals: its time is too short or its rate too low")
    slot = np.arange(len(created))
    draws = Draws(company.seed, len(slot))
    channel = pick(draws.uniform("deal/channel", slot), np.array([c.share for c in company.channels]))
    segment = _segments(company, draws, slot, created, channel)
    region = pick(draws.uniform("deal/region", slot), np.array([team.share for team in company.teams]))
    # A deal goes to its region's team, nine times in ten.
    strays = draws.happens("deal/stray", slot, 0.1)
    other = pick(draws.uniform("deal/team", slot), np.array([team.share for team in company.teams]))
    team = np.where(strays, other, region)
    place = (draws.uniform("deal/owner", slot) * company.managers_per_team).astype(np.int64)
    owner = team * company.managers_per_team + place
    product = pick(draws.uniform("deal/product", slot), np.array([p.share for p in company.products]))
    quality = np.array([c.quality for c in company.channels])[channel] + draws.normal("deal/quality", slot)
    codes = {"segment": segment, "channel": channel, "team": team}
    for size in sized(company, "lead_quality", 0.0, created, **codes):
        quality = quality - size
    effort = users.diligence[owner]
    engagement = 0.5 * quality + 0.3 * effort + 0.75 * draws.normal("deal/engagement", slot)
    pressure = draws.normal("deal/price", slot)
    deals = Deals(
        slot=slot,
        created=created,
        channel=channel,
        segment=segment,
        team=team,
        region=region,
        owner=owner,
        product=product,
        account=_accounts(company, draws, slot, segment * len(company.teams) + region),
        amount=_amounts(company, draws, slot, segment, product),
        margin=_margins(company, draws, slot, segment),
        expected=_expected(company, draws, slot, segment, created),
        quality=quality,
        engagement=engagement,
        diligence=effort,
        skill=users.skill[owner],
        price_pressure=pressure,
        pressed=pressure > np.quantile(pressure, 1 - company.price_pressed),
        competitor=draws.happens("deal/competitor", slot, company.competition),
        contact_stage=_contact_stage(company, draws, slot, segment, effort),
    )
    return _thinned(company, draws, deals), draws


def _segments(company: Company, draws: Draws, slot: Ints, created: Ints, channel: Ints) -> Ints:
    shares = np.array([s.share for s in company.segments])
    mix = np.array([c.mix for c in company.channels])[channel] * shares
    segment = pick(draws.uniform("deal/segment", slot), mix)
    inbound = np.array([c.name == "inbound" for c in company.channels])[channel]
    leaves = draws.uniform("deal/mix_shift", slot)
    for size in sized(company, "mix_shift", 0.0, created, segment=segment, channel=channel):
        others = np.where(np.arange(len(shares)) == segment[:, None], 0.0, mix)
        elsewhere = pick(draws.uniform("deal/other_segment", slot), others)
        segment = np.where(inbound & (leaves < size), elsewhere, segment)
    return segment


def _accounts(company: Company, draws: Draws, slot: Ints, group: Ints) -> Ints:
    """Row of each deal's account's first deal: some deals point to an earlier one of their group."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], group[order])
    rank = np.arange(len(slot)) - starts
    back = starts + (draws.uniform("deal/account_of", slot)[order] * rank).astype(np.int64)
    new = (rank == 0) | draws.happens("deal/new_account", slot, company.new_account)[order]
    pointer = np.where(new, np.arange(len(slot)), back)
    while not np.array_equal(pointer, pointer[pointer]):
        pointer = pointer[pointer]
    account = np.empty_like(slot)
    account[order] = order[pointer]
    return account


def _amounts(company: Company, draws: Draws, slot: Ints, segment: Ints, product: Ints) -> Floats:
    median = np.array([s.amount for s in company.segments])[segment]
    price = np.array([p.price for p in company.products])[product]
    return np.maximum(np.round(median * price * draws.spread("deal/amount", slot, 0.55), -1), 500.0)


def _margins(company: Company, draws: Draws, slot: Ints, segment: Ints) -> Floats:
    mean = np.array([s.margin for s in company.segments])[segment]
    return np.round(np.clip(mean + 0.06 * draws.normal("deal/margin", slot), 0.05, 0.75), 3)


def _expected(company: Company, draws: Draws, slot: Ints, segment: Ints, created: Ints) -> Ints:
    cycle = company.cycle_guess * np.array([s.cycle for s in company.segments])[segment]
    return created // DAY + np.rint(cycle * draws.spread("deal/expected", slot, 0.25)).astype(np.int64)


def _contact_stage(company: Company, draws: Draws, slot: Ints, segment: Ints, effort: Floats) -> Ints:
    factor = np.array([s.decision_maker for s in company.segments])[segment] * np.exp(0.10 * effort)
    chance = np.minimum(np.array(company.decision_maker) * factor[:, None], 0.24)
    chance[:, 1] = np.clip(company.decision_maker[1] * factor, 0.0, 0.6)
    stage = (draws.uniform("deal/decision_maker", slot)[:, None] >= np.cumsum(chance, axis=1)).sum(axis=1)
    return np.where(stage < chance.shape[1], stage, NEVER)


def _thinned(company: Company, draws: Draws, deals: Deals) -> Deals:
    """The deals left by the faults of volume, with their accounts pointing to rows that are left."""
    lost = np.zeros(len(deals), dtype=bool)
    part = draws.uniform("deal/volume_drop", deals.slot)
    for size in sized(
        company,
        "volume_drop",
        0.0,
        deals.created,
        segment=deals.segment,
        channel=deals.channel,
        team=deals.team,
    ):
        lost |= part < size
    kept = np.flatnonzero(~lost)
    values = {f.name: getattr(deals, f.name)[kept] for f in fields(deals)}
    _, first, inverse = np.unique(values["account"], return_index=True, return_inverse=True)
    values["account"] = first[inverse]
    return Deals(**values)


def owner_names(company: Company) -> npt.NDArray[np.object_]:
    """A name for each user, (users,)."""
    count = len(company.teams) * (company.managers_per_team + 1)
    names = [f"{first} {last}" for last in _LAST_NAMES for first in _FIRST_NAMES]
    step = 7  # does not divide the number of names, so neighbours differ in both parts
    return np.array([names[i * step % len(names)] for i in range(count)], dtype=object)


_FIRST_NAMES = ("Anna", "Boris", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas")
_LAST_NAMES = ("Adler", "Brandt", "Costa", "Dahl", "Eriksen", "Fontaine", "Grimm", "Hansen", "Iversen")
