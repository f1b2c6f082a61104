"""Truths about the example company: it is repeatable, leaks no future, and has the causes planted in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from orchestration.sample.company import Company, Fault
from orchestration.sample.extracts import write_extracts
from orchestration.sample.known import known_at
from orchestration.sample.simulate import simulate
from orchestration.sample.world import KEYS, LAYOUT, World

SMALL = Company(seed=3, start=date(2025, 12, 1), until=date(2026, 6, 30), deals_per_week=70)
EARLIER = datetime(2026, 4, 14, 23, 59, 59)
LATER = datetime(2026, 6, 2, 23, 59, 59)
END = datetime(2026, 6, 30, 23, 59, 59)
MAY_BE_AHEAD = {"due_at", "original_due_at", "expected_close_date"}


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(SMALL)


def proposals(world: World) -> pd.DataFrame:
    """Every proposal sent, with its days from the stage's entry and the deal's team."""
    tasks = world.tables["tasks"]
    sent = tasks[(tasks["task_type"] == "send_proposal") & tasks["completed_at"].notna()]
    sent = sent.merge(world.truth[["deal_id", "team"]], on="deal_id")
    return sent.assign(days=(sent["completed_at"] - sent["created_at"]).dt.total_seconds() / 86_400)


def lost_part(visits: pd.DataFrame, stage: str, flag: str) -> tuple[float, float]:
    """Part of a stage's visits that were lost, without and with a flag."""
    real = visits[(visits["stage"] == stage) & ~visits["clicked"]]
    lost = real["way"] == "lost"
    return lost[real[flag] == 0].mean(), lost[real[flag] > 0].mean()


def test_the_same_company_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    first = write_extracts(world, tmp_path / "first", END)
    second = write_extracts(simulate(SMALL), tmp_path / "second", END)
    assert [path.name for path in first] == [path.name for path in second]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))


def test_another_seed_gives_another_world(world: World) -> None:
    other = simulate(replace(SMALL, seed=4))
    assert not other.truth["quality"].head(100).equals(world.truth["quality"].head(100))


@pytest.mark.parametrize("entity", LAYOUT)
def test_an_earlier_extract_with_the_changes_since_is_the_later_one(world: World, entity: str) -> None:
    key = list(KEYS[entity])
    old, new = known_at(world, EARLIER)[entity], known_at(world, LATER)[entity]
    delta = known_at(world, LATER, since=EARLIER)[entity]
    assert not new.duplicated(key).any()
    both = pd.concat([old, delta]).drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(both, new.sort_values(key, ignore_index=True))
    assert len(delta) < len(new)


@pytest.mark.parametrize("moment", [EARLIER, LATER])
def test_nothing_known_is_of_the_future(world: World, moment: datetime) -> None:
    for entity, table in known_at(world, moment).items():
        for column in table.select_dtypes("datetime").columns.difference(list(MAY_BE_AHEAD)):
            assert not (table[column] > moment).any(), (entity, column)


def test_what_is_required_is_there(world: World) -> None:
    required = {
        "deals": ["deal_id", "pipeline", "stage", "status", "created_at"],
        "stage_changes": ["deal_id", "to_stage", "changed_at"],
        "field_changes": ["deal_id", "field", "changed_at"],
        "activities": ["activity_id", "type", "occurred_at"],
        "tasks": ["task_id", "task_type", "created_at", "due_at"],
        "deal_contacts": ["deal_id", "contact_id"],
        "stages": ["pipeline", "stage", "position"],
        "revenue_events": ["deal_id", "kind", "occurred_at"],
    }
    tables = known_at(world, END)
    for entity, columns in required.items():
        assert list(tables[entity].columns) == list(LAYOUT[entity])
        assert tables[entity][columns].notna().all(axis=None), entity


def test_a_deals_history_begins_at_its_creation_and_ends_in_its_stage(world: World) -> None:
    tables = known_at(world, LATER)
    deals = tables["deals"].set_index("deal_id")
    history = tables["stage_changes"].groupby("deal_id", sort=False)
    assert (history["to_stage"].last() == deals["stage"]).all()
    first = tables["stage_changes"].groupby("deal_id", sort=False).head(1).set_index("deal_id")
    assert first["from_stage"].isna().all()
    assert (first["changed_at"] == deals["created_at"]).all()
    follows = tables["stage_changes"]["from_stage"] == history["to_stage"].shift()
    assert (follows | tables["stage_changes"]["from_stage"].isna()).all()
    assert ((deals["status"] != "open") == deals["closed_at"].notna()).all()


def test_field_changes_end_in_the_deals_values(world: World) -> None:
    tables = known_at(world, LATER)
    deals = tables["deals"].set_index("deal_id")
    edits = tables["field_changes"]
    last = edits.groupby(["deal_id", "field"], sort=False).tail(1)
    amounts = last[last["field"] == "amount"].set_index("deal_id")["new_value"].astype(float)
    dates = last[last["field"] == "expected_close_date"].set_index("deal_id")["new_value"]
    owners = last[last["field"] == "owner_id"].set_index("deal_id")["new_value"]
    assert (deals.loc[amounts.index, "amount"] == amounts).all()
    assert (deals.loc[dates.index, "expected_close_date"] == pd.to_datetime(dates)).all()
    assert (deals.loc[owners.index, "owner_id"] == owners).all()
    chained = edits.groupby(["deal_id", "field"], sort=False)["new_value"].shift()
    assert (chained.isna() | (edits["old_value"] == chained)).all()


def test_every_deal_has_an_end_even_after_the_last_day(world: World) -> None:
    truth = world.truth
    assert truth["outcome"].isin(["won", "lost"]).all()
    assert truth["ended_at"].notna().all()
    assert truth["ended_at"].max() > END
    assert (truth["decided_at"] <= truth["ended_at"]).all()
    assert (known_at(world, END)["deals"]["status"] == "open").any()


def test_the_planted_causes_lose_deals(world: World) -> None:
    for stage, flag, more in [
        ("Proposal", "proposal_late_days", 1.3),
        ("Proposal", "no_repeat_contact", 1.4),
        ("Negotiation", "no_decision_maker", 1.4),
        ("Negotiation", "price_pressed", 1.4),
        ("Legal review", "legal_stalled", 2.0),
    ]:
        without, with_flag = lost_part(world.visits, stage, flag)
        assert with_flag > more * without, (stage, flag)


def test_a_named_cause_was_present_and_only_losses_have_one(world: World) -> None:
    visits = world.visits
    named = visits[visits["cause"] != "none"]
    assert (named["way"] == "lost").all()
    assert (named.loc[named["cause"] == "late_proposal", "proposal_late_days"] > 0).all()
    for cause in ("no_repeat_contact", "no_decision_maker", "legal_stalled"):
        assert named.loc[named["cause"] == cause, cause].all()


def test_the_planted_team_takes_twice_as_long_since_the_fault_began(world: World) -> None:
    sent = proposals(world)
    (fault,) = SMALL.planted
    north = sent[sent["team"] == fault.team]
    late = north["created_at"] >= pd.Timestamp(fault.started_on)
    ratio = north.loc[late, "days"].median() / north.loc[~late, "days"].median()
    assert 1.6 < ratio < 2.5


def test_a_fault_leaves_the_other_teams_as_they_were(world: World) -> None:
    clean = simulate(replace(SMALL, faults=()))
    others = world.truth["team"] != "North"
    pd.testing.assert_frame_equal(world.truth[others], clean.truth[others])
    assert not world.truth[~others].equals(clean.truth[~others])


def test_each_other_kind_of_fault_shows() -> None:
    since = date(2026, 3, 1)
    clean = simulate(replace(SMALL, faults=()))

    def of(**fault: object) -> World:
        return simulate(replace(SMALL, faults=(Fault(started_on=since, **fault),)))  # type: ignore[arg-type]

    def new(world: World) -> pd.DataFrame:
        return world.truth[world.truth["created_at"] >= pd.Timestamp(since)]

    partner = new(clean)["channel"].value_counts()["partner"]
    fewer = new(of(kind="volume_drop", channel="partner", size=0.5))["channel"].value_counts()["partner"]
    assert 0.35 < fewer / partner < 0.65
    poor = new(of(kind="lead_quality", channel="event", size=1.0))
    gap = new(clean)["quality"] - poor["quality"]
    assert np.allclose(gap[poor["channel"] == "event"], 1.0)
    shifted = new(of(kind="mix_shift", segment="mid_market", size=0.6))
    inbound = new(clean)["segment"][new(clean)["channel"] == "inbound"]
    left = shifted["segment"][shifted["channel"] == "inbound"]
    assert (left == "mid_market").sum() < 0.6 * (inbound == "mid_market").sum()
    dropped = of(kind="conversion_drop", stage="Discovery", segment="mid_market", size=0.4).truth
    assert (dropped["lost_stage"] == "Discovery").sum() > (clean.truth["lost_stage"] == "Discovery").sum()
    slower = of(kind="stage_slower", stage="Negotiation", size=10).visits
    stays = [
        (visits["left_at"] - visits["entered_at"])[
            (visits["stage"] == "Negotiation") & (visits["entered_at"] >= pd.Timestamp(since))
        ].median()
        for visits in (slower, clean.visits)
    ]
    assert stays[0] - stays[1] > pd.Timedelta(days=6)


def test_a_fault_must_name_what_the_company_has() -> None:
    with pytest.raises(ValueError, match="no team"):
        Company(faults=(Fault("slow_task", date(2026, 1, 1), team="Nowhere"),))
    with pytest.raises(ValueError, match="unknown fault kind"):
        Fault("bad_luck", date(2026, 1, 1))


def test_extract_files_hold_what_was_known(world: World, tmp_path: Path) -> None:
    write_extracts(world, tmp_path, EARLIER)
    write_extracts(world, tmp_path, LATER, since=EARLIER)
    assert (tmp_path / "2026-04-14" / "deals.csv").exists()
    assert (tmp_path / "2026-06-02" / "tasks.delta.parquet").exists()
    assert not (tmp_path / "2026-06-02" / "stages.delta.csv").exists()
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]
    known = known_at(world, EARLIER)
    for path in (tmp_path / "2026-04-14").iterdir():
        read = duckdb.sql(f"SELECT count(*) AS rows FROM '{path}'").fetchone()
        assert read == (len(known[path.name.split(".")[0]]),), path.name


def test_drawn_companies_differ_in_more_than_luck() -> None:
    first, second = Company.draw(1), Company.draw(2)
    assert first == Company.draw(1)
    assert first.planted == ()
    assert first.effects != second.effects
    assert first.segments != second.segments


def test_the_default_company_has_ten_thousand_deals_and_one_fault() -> None:
    company = Company()
    world = simulate(company)
    deals = known_at(world, END)["deals"]
    assert len(deals) >= 10_000
    (fault,) = company.planted
    assert (fault.kind, fault.team, fault.size) == ("slow_task", "North", 2.0)
    assert 0.15 < (world.truth["outcome"] == "won").mean() < 0.35
    won = world.truth[world.truth["outcome"] == "won"]
    days = (won["ended_at"] - won["created_at"]).dt.days
    assert days.groupby(won["segment"]).median().between(85, 155).all()
