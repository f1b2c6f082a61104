"""The charts on drawn departments: what is told on a day rests on what was known on it, and the sums are right."""

from datetime import date, datetime, timedelta
from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.companies import Calendar, Department, Fault, replace, simulate
from bench.warning import Charts
from tests.python.models import Models, Warehouse

SIZES = (1, 2, 3)


@pytest.fixture(scope="module")
def detectors(models: Models) -> Warehouse:
    return models.warehouse("int_chart_detectors", given=["int_chart_evidence"])


def evidence(seed: int, days: int, streams: int = 2) -> list[dict]:
    """Nats of a few streams: mostly against a fault, for it in some stretches, at times by far."""
    draw = np.random.default_rng(seed)
    rows = []
    for stream in range(streams):
        level = draw.choice([0.02, 0.3, 3.0])
        begins = draw.integers(0, days)
        for day in range(days):
            if draw.random() < 0.1:
                continue  # a day without chances
            nats = level * (draw.normal(-0.5, 1) + (3 if begins <= day < begins + 40 else 0))
            rows.append(
                {
                    "stream_id": f"s{stream}",
                    "signal": "loss_rate",
                    "workday": day,
                    "weight": 0.1,
                    **{f"nats_{size}": nats * size / 2 for size in SIZES},
                }
            )
    return rows


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_the_detector_as_a_window_is_the_recursion_step_by_step(detectors: Warehouse, seed: int):
    rows = evidence(seed, days=300)
    detectors.build({"int_chart_evidence": rows})
    found = {(row["stream_id"], row["workday"]): row for row in detectors.rows("select * from int_chart_detectors")}
    assert len(found) == len(rows)
    for stream in {row["stream_id"] for row in rows}:
        days = sorted((row for row in rows if row["stream_id"] == stream), key=lambda row: row["workday"])
        for size in SIZES:
            ln_sr, epoch, level, total, lowest = -inf, None, None, 0.0, 0.0
            for row in days:
                at = found[stream, row["workday"]]
                if at["epoch"] != epoch:  # an alert is over
                    ln_sr, epoch, level, total, lowest = -inf, at["epoch"], None, 0.0, 0.0
                lowest = min(lowest, total)
                if np.floor(lowest / 20) != level:  # 20 nats more against any fault
                    ln_sr, level = -inf, np.floor(lowest / 20)
                nats = row[f"nats_{size}"]
                ln_sr = nats + (log(1 + exp(ln_sr)) if ln_sr < 500 else ln_sr)
                total += nats
                assert at[f"ln_sr_{size}"] == pytest.approx(ln_sr, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def charts(models: Models) -> Charts:
    return Charts(models)


@pytest.fixture(scope="module")
def intakes(models: Models) -> Warehouse:
    given = ["int_chart_days", "int_chart_streams", "int_chart_trials", "int_chart_expected", "int_chart_evidence"]
    return models.warehouse("int_chart_detectors", given=given)


def test_leads_are_judged_by_every_week_since_which_they_may_be_worse(intakes: Warehouse):
    draw, period, days, channel = np.random.default_rng(7), date(2026, 1, 1), 160, "web"
    trials = [
        {
            "workday": day,
            "intake_week": int(draw.integers(max(0, day // 5 - 30), day // 5 + 1)),
            "n": 3.0,
            "y": float(y),
        }
        for day in range(5, days)
        for y in draw.binomial(3, 0.4, 2)
    ]
    cell = {"signal": "loss_rate", "subject": "demo", "segment": "", "channel": channel, "team": ""}
    cell |= {"age_bin": 0, "season": "usual"}
    stream = {"stream_id": "leads", "signal": "lead_quality", "channel": channel, "dispersion": 1.5, "weight": 0.1}
    intakes.build(
        {
            "int_chart_days": [
                {"workday": day, "period_date": period if day >= 5 else None, "is_business_day": True}
                for day in range(days)
            ],
            "int_chart_streams": [stream | {"period_date": period, "is_watched": True}],
            "int_chart_trials": [cell | trial for trial in trials],
            "int_chart_expected": [cell | {"period_date": period, "p": 0.3}],
        }
    )
    found = {row["workday"]: row for row in intakes.rows("select * from int_chart_detectors")}
    assert sorted(found) == list(range(9, days))  # from the end of the first whole week that is tested
    odds = 0.3 / 0.7 * 1.05
    for day, row in found.items():
        for number, size in enumerate((1.3, 1.6, 2.2), start=1):
            total = 0.0
            for week in range(max(1, day // 5 - 25), (day + 1) // 5):
                nats = sum(
                    t["y"] * log(size) - t["n"] * log((1 + size * odds) / (1 + odds))
                    for t in trials
                    # deals that came in since the week, in what is decided within half a year of it
                    if t["intake_week"] >= week and t["workday"] <= day
                )
                total += 5 * exp(nats / 1.5)
            assert row[f"ln_sr_{number}"] == pytest.approx(log(total), abs=1e-9)


def test_volume_is_expected_to_go_on_growing_as_it_did(models: Models):
    department = Department.draw(4, 760)
    calendar = Calendar(department.days)
    volumes = models.warehouse("int_chart_volumes", given=["int_chart_days", "dim_deals", "int_chart_outages"])
    rows, n = [], 0
    for day, at in enumerate(calendar.dates):
        for channel in ("web", "events"):
            n += 1
            deals = range(round(10 * 1.4 ** (day / 260)))
            rows += [{"deal_id": f"{n}-{k}", "channel": channel, "created_at": at.astype(date)} for k in deals]
    days = []
    for day, at in enumerate(calendar.dates):
        on = at.astype(date)
        quarter = date(on.year, on.month - (on.month - 1) % 3, 1)
        row = {"date_day": on, "workday_date": on, "workday": day, "is_business_day": True, "season": "usual"}
        row |= {"iso_day_of_week": on.isoweekday(), "period_date": quarter if on.year > 2022 else None}
        days.append(row)
    volumes.build({"int_chart_days": days, "dim_deals": rows})
    found = volumes.rows(
        "select channel, period_date, sum(y) / sum(expected) as ratio from int_chart_volumes "
        "where not is_baseline group by channel, period_date"
    )
    assert len(found) == 3 * 5
    for row in found:
        assert row["ratio"] == pytest.approx(1, abs=0.06), row  # the year before, as it was: 1.23


def small(days: int, seed: int = 4) -> Department:
    """A department quick to build: four stages, 100 deals a week, at least a third of them in one channel."""
    department = Department.draw(seed, days)
    stages = 4
    return replace(
        department,
        deals_a_week=100.0,
        loss=department.loss[:stages],
        median_days=department.median_days[:stages],
        task_share=department.task_share[:stages],
        segment_loss=department.segment_loss[:stages],
    )


def test_what_was_raised_by_a_day_is_the_same_whatever_comes_after(charts: Charts):
    department = small(640)
    faults = [Fault("slow_stage", 300.0, stage=2, size=15.0)]
    facts = simulate(department, *faults)
    full = charts.alerts(facts)
    raised = sorted({alert["raised_on"] for alert in full})
    assert raised, "a stage three weeks slower is seen"
    for day in (raised[0] - timedelta(days=1), raised[0], raised[0] + timedelta(days=45)):
        known = [told(alert) for alert in full if alert["raised_on"] <= day]
        assert [told(alert) for alert in charts.alerts(known_by(facts, day))] == known


def told(alert: dict) -> dict:
    """What a row says of the day it was raised: all but what moves on."""
    rounded = {name: round(value, 6) if isinstance(value, float) else value for name, value in alert.items()}
    return {name: value for name, value in rounded.items() if name not in ("status", "cleared_on", "as_of")}


def known_by(facts: dict, day: date) -> dict:
    """The facts as they stood on the evening of a day."""
    evening = np.datetime64(datetime(day.year, day.month, day.day, 23, 59, 59))
    begun = {
        "dim_deals": "created_at",
        "fct_stage_visits": "entered_at",
        "fct_journey_steps": "triggered_at",
    }
    known = {}
    for name, table in facts.items():
        if name in begun:
            table = table[table[begun[name]] <= evening].copy()
            for column in table.columns.intersection(["exited_at", "done_at", "skipped_at", "ended_at"]):
                ahead = table[column] > evening
                table.loc[ahead, column] = np.datetime64("NaT")
                if column == "exited_at":
                    table.loc[ahead, ["exit_type", "next_stage_id"]] = ["still_there", None]
        known[name] = table
    known["stg_as_of"] = facts["stg_as_of"].assign(as_of=evening)
    return known


def test_a_history_of_half_a_year_is_learning_and_says_until_when(charts: Charts):
    charts.build(simulate(small(180)))
    assert charts.rows("select * from funnel_alerts") == []
    (row,) = charts.rows("select status, ready_on, weeks_to_see from funnel_visibility")
    # history begins in January 2022; the year from the first whole month on
    assert row == {"status": "learning", "ready_on": date(2023, 2, 1), "weeks_to_see": None}


def test_a_tracking_outage_is_named_as_that_and_as_nothing_else(charts: Charts):
    department = small(560)
    facts = simulate(department)
    dates = Calendar(department.days).dates
    dark = (dates[330], dates[334])
    deals = facts["dim_deals"]
    created = deals.created_at.to_numpy().astype("datetime64[D]")
    lost = set(deals.deal_id[(created >= dark[0]) & (created <= dark[1])])
    for name in ("dim_deals", "fct_stage_visits", "fct_journey_steps"):
        facts[name] = facts[name][~facts[name].deal_id.isin(lost)]
    alerts = charts.alerts(facts)
    assert [(alert["signal"], alert["raised_on"]) for alert in alerts] == [("data_quality", dates[331].astype(date))]
