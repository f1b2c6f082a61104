"""Deal risk: what it is learnt from against a plain replay, its weights against a regression solved to the end."""

from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from orchestration.defs.publish.publish import publish
from orchestration.defs.warehouse.kept import restore
from orchestration.settings import Settings
from tests.python.models import Models, Warehouse

TODAY = date(2026, 6, 1)
FIRST = date(2025, 1, 1)
DAY_ZERO = date(2000, 1, 3)
HALF_LIFE = 270
STAGES = ("lead", "offer")
RIDGE, DRAWN = 30, 20

Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def snapshots(models: Models) -> Warehouse:
    given = ["stg_as_of", "int_days_spanned", "dim_deals", "fct_deals", "int_indicator_stages_known"]
    return models.warehouse("int_risk_snapshots", given=given)


def draw_deals(seed: int, n: int = 60) -> list[dict]:
    """Deals that stay some days in each stage and end, or have not by TODAY; some ends are recorded days later."""
    draw, deals = np.random.default_rng(seed), []
    for number in range(n):
        created = FIRST + timedelta(days=int(draw.integers(0, (TODAY - FIRST).days)))
        offer = created + timedelta(days=int(draw.integers(1, 60)))
        end = offer + timedelta(days=int(draw.integers(1, 200)))
        deals.append(
            {
                "deal_id": f"d{number}",
                "created": created,
                "offer": offer,
                "end": end if end < TODAY else None,
                "recorded": end + timedelta(days=int(draw.choice([0, 0, 9]))),
                "is_won": bool(draw.random() < 0.4),
            }
        )
    return deals


def fill(warehouse: Warehouse, deals: list[dict]) -> None:
    stays = []
    for deal in deals:
        known = {"deal_id": deal["deal_id"], "is_open_stage": True}
        left = deal["recorded"] if deal["end"] and deal["recorded"] < TODAY else None
        stays += [
            {**known, "stage_id": "lead", "entered_at": deal["created"], "known_at": deal["created"],
             "until_at": deal["offer"]},
            {**known, "stage_id": "offer", "entered_at": deal["offer"], "known_at": deal["offer"], "until_at": left},
        ]  # fmt: skip
    warehouse.build(
        {
            "stg_as_of": [{"as_of": datetime.combine(TODAY, datetime.min.time()), "newest_load_id": 1}],
            "int_days_spanned": [{"date_day": FIRST + timedelta(days=n)} for n in range(900)],
            "dim_deals": [
                {"deal_id": d["deal_id"], "crm": "x", "segment": "small", "created_at": d["created"],
                 "is_excluded_from_norms": False}
                for d in deals
            ],
            "fct_deals": [
                {"deal_id": d["deal_id"], "won_at" if d["is_won"] else "lost_at": d["end"]} for d in deals
            ],
            "int_indicator_stages_known": stays,
        }
    )  # fmt: skip


def age_class(deal: dict, day: date) -> int:
    return min((day - deal["created"]).days // 90, 4)


def replay(deals: list[dict]) -> dict[tuple[str, date], tuple]:
    """By deal and day: stage, outcomes and weights, deal by deal and day by day."""
    days = [FIRST + timedelta(days=n) for n in range((TODAY - FIRST).days)]
    days = [day for day in days if (day - DAY_ZERO).days % 13 == 0]
    tested_on = max(day for day in days if (TODAY - day).days >= 90)
    seen = {}
    for deal in deals:
        for day in days:
            left = deal["recorded"] if deal["end"] and deal["recorded"] < TODAY else date.max
            if deal["created"] <= day < left and not (deal["end"] and deal["end"] <= day):
                seen[deal["deal_id"], day] = ("lead" if day < deal["offer"] else "offer", deal)
    by_class: dict[int, list[tuple[int, float]]] = {}  # how long watched, and how much that counts
    for (_, day), (_, deal) in seen.items():
        watched = (TODAY - day).days
        by_class.setdefault(age_class(deal, day), []).append((watched, 0.5 ** (watched / HALF_LIFE)))
    told = {}
    for (deal_id, day), (stage, deal) in seen.items():
        ends_in = (deal["end"] - day).days if deal["end"] else None
        is_won, now, then = deal["end"] and deal["is_won"], (TODAY - day).days, (tested_on - day).days
        decay = {age: 0.5 ** (age / HALF_LIFE) for age in (now, then)}
        alike = by_class[age_class(deal, day)]
        of_all = sum(weight for _, weight in alike)
        longest = max(w for w, _ in alike if 10 * sum(weight for at, weight in alike if at >= w) >= of_all)
        enough = longest - 1 if ends_in is None else min(ends_in, longest - 1)
        ever = 0.0
        if longest >= 90 and now > enough:
            ever = decay[now] * of_all / sum(weight for at, weight in alike if at > enough)
        told[deal_id, day] = (
            stage,
            int(bool(is_won) and ends_in < 90),
            int(bool(deal["end"]) and not is_won and ends_in < 30),
            decay[now] if now >= 90 else 0,
            decay[now] if now >= 30 else 0,
            ever,
            decay[then] if then >= 90 else 0,
            decay[then] if then >= 30 else 0,
        )
    return told


TOLD = """
    select deal_id, snapshot_on, stage_id, win_90d, lost_30d, weight_win_90d_now, weight_lost_30d_now,
        weight_win_ever_now, weight_win_90d_then, weight_lost_30d_then
    from int_risk_snapshots
"""


@pytest.mark.parametrize("seed", range(3))
def test_snapshots_are_those_of_a_replay_day_by_day(snapshots: Warehouse, seed: int):
    deals = draw_deals(seed)
    fill(snapshots, deals)
    found = {(row["deal_id"], row["snapshot_on"]): tuple(row.values())[2:] for row in snapshots.rows(TOLD)}
    expected = replay(deals)
    assert found.keys() == expected.keys()
    for key, (stage, *numbers) in expected.items():
        assert found[key][0] == stage
        assert found[key][1:] == pytest.approx(numbers), key


def test_a_deal_that_nobody_closes_is_not_won_and_is_the_more_likely_the_older_it_is(snapshots: Warehouse):
    """Three in ten are won and four lost, after some weeks; three stay open for good."""
    draw, deals = np.random.default_rng(5), []
    for number in range(1500):
        kind = draw.choice(["won", "lost", "open"], p=[0.3, 0.4, 0.3])
        created = FIRST - timedelta(days=365) + timedelta(days=int(draw.integers(0, (TODAY - FIRST).days + 365)))
        end = created + timedelta(days=5 + int(draw.exponential(60)))
        ended = kind != "open" and end < TODAY
        deals.append({"deal_id": f"d{number}", "created": created, "offer": created + timedelta(days=1),
                      "end": end if ended else None, "recorded": end, "is_won": kind == "won"})  # fmt: skip
    fill(snapshots, deals)
    told = snapshots.rows(
        """
        select
            least(floor(age_days / 90), 4) as quarters,
            sum(weight_win_ever_now * win_ever) / sum(weight_win_ever_now) as ever,
            sum(weight_win_ever_now * exp(-greatest(0, age_days - 5) / 60)) / sum(weight_win_ever_now) as still_to_end
        from int_risk_snapshots group by all order by all
        """
    )
    assert len(told) == 5
    for row in told:
        true = 0.3 * row["still_to_end"] / (0.7 * row["still_to_end"] + 0.3)
        assert row["ever"] == pytest.approx(true, abs=0.05), row["quarters"]


def test_what_came_after_a_day_is_unknown_to_the_model_of_that_day(snapshots: Warehouse):
    """Ends after tested_on are turned round; the model that is tried on that day learns the same."""
    deals = draw_deals(1)
    known_then = "select deal_id, snapshot_on, weight_{0}_then, weight_{0}_then * {0} as hits from int_risk_snapshots"
    learnt = []
    for turned in (False, True):
        fill(snapshots, deals)
        tested_on = snapshots.rows("select max(tested_on) as day from int_risk_snapshots")[0]["day"]
        learnt.append([sorted(map(str, snapshots.rows(known_then.format(o)))) for o in ("win_90d", "lost_30d")])
        for deal in deals:
            if not turned and deal["end"] and deal["end"] >= tested_on:
                deal["is_won"] = not deal["is_won"]
    assert learnt[0] == learnt[1]


@pytest.fixture(scope="module")
def weights(models: Models) -> Warehouse:
    given = ["int_risk_snapshots", "int_risk_values", "int_stages_completed", "dim_deals"]
    return models.warehouse("int_risk_weights", given=given)


OUTCOMES = ("win_90d", "lost_30d", "win_ever")
FITS = ("win_90d_now", "lost_30d_now", "win_ever_now", "win_90d_then", "lost_30d_then")
PARTS = ("age_days", "days_in_stage", "meetings_held", "silence_days")


def draw_snapshots(seed: int, n: int = 1500) -> pd.DataFrame:
    """Snapshots with parts that overlap: silence goes with few meetings, time in the stage with age."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"snapshot_number": np.arange(n), "stage_id": draw.choice(STAGES, n, p=[0.7, 0.3])})
    frame["segment"] = draw.choice(["small", "large"], n)
    frame["age_days"] = draw.gamma(2, 20, n).round(2)
    frame["days_in_stage"] = (frame["age_days"] * draw.random(n)).round(2)
    frame["meetings_held"] = draw.poisson(1.5, n).astype(float)
    frame["silence_days"] = np.maximum(0, 20 - 6 * frame["meetings_held"] + draw.normal(0, 6, n)).round()
    score = -1 + 0.5 * frame["meetings_held"] - 0.04 * frame["silence_days"] + (frame["stage_id"] == "offer")
    for outcome in OUTCOMES:
        frame[outcome] = (draw.random(n) < 1 / (1 + np.exp(-score))).astype(int)
    for fit in FITS:
        frame[f"weight_{fit}"] = draw.random(n) * (draw.random(n) < 0.8)
    return frame.assign(days_to_end=10)


def binned(values: pd.Series) -> Floats:
    """Eighths by middle rank, ties together, numbered without gaps."""
    eighths = np.floor(8 * (values.rank(method="max") + values.rank(method="min") - 1) / 2 / len(values))
    return eighths.rank(method="dense").to_numpy().astype(int)


def cell_log_odds(frame: pd.DataFrame, outcome: str, fit: str) -> Floats:
    """By snapshot: its cell drawn toward stage and age, these toward the stage, and that toward all."""
    n, hits = frame[f"weight_{fit}"], frame[f"weight_{fit}"] * frame[outcome]
    rate = (hits.sum() + 0.5) / (n.sum() + 1)
    for keys in (["stage_id"], ["stage_id", "age_bin"], ["stage_id", "age_bin", "segment"]):
        by = [frame[key] for key in keys]
        rate = (hits.groupby(by).transform("sum") + DRAWN * rate) / (n.groupby(by).transform("sum") + DRAWN)
    return np.log(rate / (1 - rate)).to_numpy()


@pytest.mark.parametrize("seed", range(2))
def test_weights_of_evidence_are_those_of_a_ridge_regression_solved_to_the_end(weights: Warehouse, seed: int):
    frame = draw_snapshots(seed)
    values = frame.melt(["snapshot_number", "stage_id"], list(PARTS), "part", "value")
    weights.fill(
        {
            "int_stages_completed": pd.DataFrame({"stage_id": STAGES, "is_won": False, "is_lost": False}),
            "dim_deals": pd.DataFrame({"segment": ["small", "large"]}),
            "int_risk_snapshots": frame.drop(columns=["meetings_held", "silence_days"]),
            "int_risk_values": values,
        }
    )
    weights.rebuild()
    told = {
        (row["part"], row["bin"], row["stage_id"], row["segment"]): row
        for row in weights.rows("select * from int_risk_weights")
    }
    frame["age_bin"] = binned(frame["age_days"])
    columns = {}
    for part in PARTS:
        bins = binned(frame[part])
        for number in np.unique(bins):
            if part != "age_days":
                columns[part, number, None, None] = bins == number
            for stage in STAGES:
                columns[part, number, stage, None] = (bins == number) & (frame["stage_id"] == stage).to_numpy()
    for segment in ("small", "large"):
        columns["segment", None, None, segment] = (frame["segment"] == segment).to_numpy()
    assert told.keys() == columns.keys()
    x = np.array(list(columns.values()), dtype=float).T
    for fit in FITS:
        outcome = fit.rsplit("_", 1)[0]
        w, y, start = frame[f"weight_{fit}"].to_numpy(), frame[outcome].to_numpy(), cell_log_odds(frame, outcome, fit)
        beta = np.zeros(x.shape[1])
        for _ in range(20):
            p = 1 / (1 + np.exp(-(start + x @ beta)))
            pull = x.T @ (w * (y - p)) - RIDGE * beta
            beta += np.linalg.solve(x.T @ (x * (w * p * (1 - p))[:, None]) + RIDGE * np.eye(len(beta)), pull)
        found = np.array([told[key][f"weight_{fit}"] for key in columns])
        # the rounds stop early: what is left moves no chance by a point
        left = 1 / (1 + np.exp(-(start + x @ found))) - 1 / (1 + np.exp(-(start + x @ beta)))
        assert np.abs(left).max() < 0.01, fit


def test_snapshots_of_one_deal_are_one_fact_and_not_many(weights: Warehouse):
    """Of 150 deals, each seen ten times, three in ten are won: the error that is told is the error made."""
    draw, found = np.random.default_rng(3), []
    for _ in range(12):
        deals = pd.DataFrame({"deal_id": [f"d{n}" for n in range(150)], "is_won": draw.random(150) < 0.3})
        frame = deals.loc[deals.index.repeat(10)].reset_index(drop=True)
        frame = frame.assign(
            snapshot_number=frame.index, stage_id="offer", segment="small", age_days=1.0, days_to_end=10,
            **{f"weight_{fit}": 1.0 for fit in FITS}, **{outcome: frame["is_won"].astype(int) for outcome in OUTCOMES},
        )  # fmt: skip
        values = pd.DataFrame({"snapshot_number": frame.index, "stage_id": "offer", "part": "age_days", "value": 1.0})
        weights.fill(
            {
                "int_stages_completed": pd.DataFrame({"stage_id": ["offer"], "is_won": False, "is_lost": False}),
                "dim_deals": pd.DataFrame({"segment": ["small"]}),
                "int_risk_snapshots": frame.drop(columns="is_won"),
                "int_risk_values": values,
            }
        )
        weights.rebuild("int_risk_bins", "int_risk_cells")
        found += weights.rows(
            """
            select base_win_90d_now as base, variance_win_90d_now as variance from int_risk_cells
            where stage_id = 'offer'
            """
        )
    cells = pd.DataFrame(found)
    error = np.sqrt(((cells["base"] - np.log(0.3 / 0.7)) ** 2).mean())
    assert 1 / np.sqrt(150 * 0.21) == pytest.approx(0.178, abs=0.001)
    assert np.sqrt(cells["variance"].mean()) == pytest.approx(0.178, rel=0.15)
    assert np.sqrt(cells["variance"].mean()) == pytest.approx(error, rel=0.5)


def test_what_is_kept_comes_back_from_the_last_publication(tmp_path):
    """The working files are gone; what was said on earlier nights is not."""
    settings = Settings(tmp_path)
    settings.warehouse.parent.mkdir()
    with duckdb.connect(str(settings.marts)) as con:
        con.execute("create table deal_risk_history as select 'd1' as deal_id, 0.5 as p_win_90d")
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("create schema staging; create table staging.stg_as_of as select timestamp '2026-06-30' as as_of")
    assert restore(settings, ["deal_risk_history"]) == []  # nothing is published yet
    publish(settings, ["deal_risk_history"], "run", 1)
    assert restore(settings, ["deal_risk_history"]) == []  # it is there
    settings.marts.unlink()
    assert restore(settings, ["deal_risk_history", "never_published"]) == ["deal_risk_history"]
    with duckdb.connect(str(settings.marts)) as con:
        assert con.execute("from deal_risk_history").fetchall() == [("d1", 0.5)]
