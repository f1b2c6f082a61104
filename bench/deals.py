"""Deal risk and bookings on generated companies, learnt only from the past, beside scikit-learn and the CRM's weights.

python -m bench.deals --companies 20

Companies are drawn (volume, cycle, rates, effects, drift, silence) and simulated to the very end of every deal. On
seven dates each is read as an extract of that date would show it, by the models of the nightly job, and held against
what came. Logistic regression gets the same snapshots, weights and features. Nothing is tuned to the companies.
"""

import tempfile
import time
from datetime import date, datetime
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder

from orchestration.sample.company import Company
from orchestration.sample.known import known_at
from orchestration.sample.simulate import simulate
from orchestration.sample.world import LAYOUT, World
from tests.python.models import Models, Warehouse

START, UNTIL = date(2023, 7, 1), date(2026, 9, 30)
CUTS = ("2025-03-10", "2025-06-20", "2025-09-15", "2025-12-31", "2026-02-05", "2026-04-12", "2026-06-30")
HORIZONS = {"win_90d": 90, "lost_30d": 30}
NAIVE = ("crm_weights", "last_period", "same_period_last_year")
MARTS = ("deal_risk", "bookings_nowcast", "nowcast_quality")

# Snapshots that were learnt from, and today's deals, each with the bins its values lie in.
SEEN = """
with shown as (
    select snapshot_number::varchar as row_id, part, value from int_risk_values
    union all
    select 'today:' || deals.deal_id, parts.part, parts.value
    from int_risk_contributions as parts
    inner join dim_deals as deals on parts.deal_number = deals._deal_number
)
select shown.row_id, shown.part, bins.bin
from shown
inner join int_risk_bins as bins on (case shown.part when 'base' then 'age_days' else shown.part end) = bins.part
    and (bins.from_value is null or shown.value >= bins.from_value)
    and (bins.until_value is null or shown.value < bins.until_value)
"""
LEARNT = """
select snapshot_number::varchar as row_id, stage_id, segment, win_90d, lost_30d, weight_win_90d_now, weight_lost_30d_now
from int_risk_snapshots
"""


def extract(world: World, at: datetime) -> dict[str, pd.DataFrame]:
    tables = {f"generic.{name}": table.assign(_extracted_at=at) for name, table in known_at(world, at).items()}
    return {"stg_as_of": pd.DataFrame({"as_of": [at], "newest_load_id": [1]}), **tables}


def outcomes(world: World, at: datetime) -> pd.DataFrame:
    """By deal: what came of it within each horizon, and its amount in the end."""
    truth = world.truth.assign(deal_id="generic:" + world.truth["deal_id"].astype(str))
    days = (truth["ended_at"] - pd.Timestamp(at)).dt.total_seconds() / 86400
    is_won = truth["outcome"] == "won"
    return truth.assign(
        days=days,
        win_90d=(is_won & (days > 0) & (days <= 90)).astype(int),
        lost_30d=(~is_won & (days > 0) & (days <= 30)).astype(int),
    ).set_index("deal_id")


def logistic(warehouse: Warehouse, today: pd.DataFrame, outcome: str) -> npt.NDArray[np.float64]:
    """Chances of today's deals by scikit-learn, from the same snapshots, weights and features."""
    seen = pd.DataFrame(warehouse.rows(SEEN))
    seen["part"] = seen["part"].replace("base", "age_days")
    bins = seen.pivot_table(index="row_id", columns="part", values="bin", aggfunc="first").fillna(0)
    learnt = pd.DataFrame(warehouse.rows(LEARNT)).set_index("row_id").join(bins)
    asked = today.assign(row_id="today:" + today["deal_id"]).set_index("row_id")[["stage_id", "segment"]].join(bins)
    features = ["stage_id", "segment", *bins.columns]
    weight = learnt[f"weight_{outcome}_now"].astype(float)
    learnt, weight = learnt[weight > 0], weight[weight > 0]
    encoder = OneHotEncoder(handle_unknown="ignore")
    x = encoder.fit_transform(learnt[features].astype(str))
    model = LogisticRegression(max_iter=1000).fit(x, learnt[outcome], sample_weight=weight)
    return model.predict_proba(encoder.transform(asked[features].astype(str)))[:, 1]


def judge(warehouse: Warehouse, world: World, day: str) -> tuple[list[dict], dict]:
    """Per outcome and model what was said and came, and the bookings of the next 90 days."""
    at = datetime.fromisoformat(f"{day} 23:59:59")
    warehouse.fill(extract(world, at))
    warehouse.rebuild()
    today = pd.DataFrame(warehouse.rows("select * from deal_risk"))
    came = outcomes(world, at)
    said = []
    for outcome in HORIZONS:
        y = came.loc[today["deal_id"], outcome].to_numpy()
        chances = {"inflight": today[f"p_{outcome}"].astype(float).to_numpy()}
        chances["logistic"] = logistic(warehouse, today, outcome)
        if outcome == "win_90d":
            chances["crm"] = today["crm_probability"].astype(float).to_numpy()
        said += [
            {"outcome": outcome, "model": model, "auc": roc_auc_score(y, p), "predicted": p.sum(), "actual": y.sum(),
             "p": p, "y": y}
            for model, p in chances.items()
        ]  # fmt: skip
    is_deleted = world.tables["deals"].set_index("deal_id")["deleted_at"].notna()
    won = came[(came["outcome"] == "won") & ~is_deleted.reindex(world.truth["deal_id"]).to_numpy()]
    after = (won["ended_at"] - pd.Timestamp(at)).dt.total_seconds() / 86400
    total = warehouse.rows(
        "select * from bookings_nowcast where horizon = 'days_90' and segment = 'all' and team = 'all'"
    )[0]
    booked = {"actual": won.loc[(after > 0) & (after <= 90), "amount"].sum(), **total}
    return said, booked


def slope(p: npt.NDArray[np.float64], y: npt.NDArray[np.int_]) -> float:
    """Calibration slope: of what came on the log-odds that were said."""
    x = np.log(p / (1 - p)).clip(-9, 9).reshape(-1, 1)
    return float(LogisticRegression(C=1e9, max_iter=1000).fit(x, y).coef_[0, 0])


def chances_table(found: pd.DataFrame) -> pd.DataFrame:
    def row(group: pd.DataFrame) -> pd.Series:
        ratio = group["predicted"] / group["actual"]
        return pd.Series(
            {
                "AUC": group["auc"].mean(),
                "slope": slope(np.concatenate(group["p"].tolist()), np.concatenate(group["y"].tolist())),
                "predicted/actual": group["predicted"].sum() / group["actual"].sum(),
                "dates within 10%": ((ratio > 0.9) & (ratio < 1.1)).mean(),
            }
        )

    return found.groupby(["outcome", "model"]).apply(row, include_groups=False)


def bookings_table(found: pd.DataFrame) -> pd.DataFrame:
    actual = found["actual"].astype(float)
    rows = {}
    for model, column in {"inflight": "median", **{name: name for name in NAIVE}}.items():
        error = found[column].astype(float) / actual - 1
        rows[model] = {"mean error": error.abs().mean(), "bias": error.mean()}
    held = (found["low_80"].astype(float) <= actual) & (actual <= found["high_80"].astype(float))
    rows["inflight"]["80% interval holds"] = held.mean()
    return pd.DataFrame(rows).T


@click.command()
@click.option("--companies", default=20, show_default=True)
@click.option("--first-seed", default=1, show_default=True)
@click.option("--deals-per-week", default=100.0, show_default=True, help="In the mean; companies differ.")
@click.option("--dates", default=len(CUTS), show_default=True, help="How many of the seven dates.")
def main(companies: int, first_seed: int, deals_per_week: float, dates: int) -> None:
    """Print AUC, calibration and the error of 90-day bookings, beside logistic regression and the CRM's weights."""
    with tempfile.TemporaryDirectory() as folder:
        models = Models.compile(Path(folder))
    warehouse = models.warehouse(
        *MARTS, given=["stg_as_of", "landing.files", *(f"generic.{entity}" for entity in LAYOUT)]
    )
    chances, bookings = [], []
    for seed in range(first_seed, first_seed + companies):
        started = time.monotonic()
        drawn = Company.draw(seed, start=START, until=UNTIL)
        weekly = drawn.deals_per_week * deals_per_week / 150
        world = simulate(Company.draw(seed, start=START, until=UNTIL, deals_per_week=weekly))
        for day in CUTS[len(CUTS) - dates :]:
            said, booked = judge(warehouse, world, day)
            chances += [{"seed": seed, "day": day, **row} for row in said]
            bookings.append({"seed": seed, "day": day, **booked})
        click.echo(f"company {seed}, {time.monotonic() - started:.0f} s", err=True)
        click.echo(chances_table(pd.DataFrame(chances)).round(3), err=True)
        click.echo(bookings_table(pd.DataFrame(bookings)).round(3), err=True)
    with pd.option_context("display.width", 200, "display.float_format", "{:.3f}".format):
        click.echo(chances_table(pd.DataFrame(chances)).to_string())
        click.echo(bookings_table(pd.DataFrame(bookings)).to_string())


if __name__ == "__main__":
    main()
