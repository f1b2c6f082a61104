"""What cohorts were expected to convert while they were open, against what they came to.

python -m bench.cohorts --companies 20

Companies are drawn (volume, cycle, rates, drift, silence), simulated to the very end of every deal, cut at seven dates
and read by the models of the nightly job. Nothing is tuned to them.
"""

import tempfile
from datetime import date, datetime
from pathlib import Path

import click
import numpy as np
import pandas as pd

from orchestration.sample.company import Company
from orchestration.sample.simulate import simulate
from tests.python.models import Models, Warehouse

CUTS = ("2025-03-10", "2025-06-20", "2025-09-15", "2025-12-31", "2026-02-05", "2026-04-12", "2026-06-30")
WAYS = {"forward": "advanced", "skip": "advanced", "back": "moved_back", "lost": "lost"}

MARTS = ("cohort_stage_conversion", "cohort_stage_conversion_rollups")
JUDGED = """
with published as (
    select 'segment' as cut, segment as cut_value, * exclude (segment) from cohort_stage_conversion
    union all
    select rolled_up_by as cut, rolled_up_value as cut_value, * exclude (rolled_up_by, rolled_up_value)
    from cohort_stage_conversion_rollups
)

select
    cut,
    date_diff('month', cohort_month, date '{day}') as age,
    entered,
    still_there,
    published.conversion_ever_entered as ever_entered,
    published.conversion_resolved_only as resolved_only,
    published.conversion_expected as expected,
    published.conversion_low as low,
    published.conversion_high as high,
    ended.advanced::double / published.entered as truth
from published
inner join (
    {truth}
) as ended using (stage_id, cut, cut_value, cohort_month)
where cut <> 'product'
"""


def company(seed: int) -> Company:
    """A company whose volume and drift vary beyond what Company.draw varies."""
    rng = np.random.default_rng([seed, 5])
    return Company.draw(
        seed,
        start=date(2023, 7, 1),
        until=date(2026, 6, 30),
        deals_per_week=float(rng.uniform(60, 200)),
        odds_drift=float(rng.uniform(-0.25, 0.25)),
    )


def stays(seed: int) -> pd.DataFrame:
    """Every stay of the company in a stage, to its true end."""
    world = simulate(company(seed))
    visits = world.visits.merge(world.truth[["deal_id", "segment", "channel", "team"]], on="deal_id")
    return pd.DataFrame(
        {
            "process": "stage",
            "step": visits["stage"].astype(str),
            "segment": visits["segment"].astype(str),
            "channel": visits["channel"].astype(str),
            "team": visits["team"].astype(str),
            "exit_type": visits["way"].astype(str).map(WAYS),
            "is_left_truncated": False,
            "entered_at": visits["entered_at"],
            "exited_at": visits["left_at"],
        }
    )


def judge(warehouse: Warehouse, lived: pd.DataFrame) -> pd.DataFrame:
    """One row per cut date, cut, step, group and cohort, with what was expected then and the truth."""
    con, found = warehouse.con, []
    con.register("lived", lived)
    cuts = ", ".join(f"case when grouping({cut}) = 0 then '{cut}' end" for cut in ("segment", "channel", "team"))
    truth = (
        f"select step as stage_id, coalesce({cuts}, 'all') as cut, "
        "coalesce(segment, channel, team, 'all') as cut_value, "
        "date_trunc('month', entered_at)::date as cohort_month, "
        "count(*) filter (where exit_type = 'advanced') as advanced "
        "from lived where entered_at < timestamp '{day}' + interval 1 day "
        "group by step, cohort_month, grouping sets ((segment), (channel), (team), ())"
    )
    for day in CUTS:
        as_of = datetime.fromisoformat(f"{day} 23:59:59")
        warehouse.build({"stg_as_of": [{"as_of": as_of, "newest_load_id": 1}]})
        con.execute(
            f"insert into {warehouse.relation('int_stays_followed')} by name select * replace ("
            "case when exited_at <= $as_of then exit_type else 'still_there' end as exit_type, "
            "case when exited_at <= $as_of then exited_at end as exited_at) from lived where entered_at <= $as_of",
            {"as_of": as_of},
        )
        warehouse.rebuild()
        rows = warehouse.rows(JUDGED.format(day=day, truth=truth.format(day=day)))
        found.append(pd.DataFrame(rows).assign(day=day))
    return pd.concat(found)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """By cut and cohort age in months: biases in points, root mean square errors, and the share the interval holds."""

    def row(group: pd.DataFrame) -> pd.Series:
        error = {name: group[name] - group["truth"] for name in ("ever_entered", "resolved_only", "expected")}
        is_open = group["still_there"] > 0
        held = (group["truth"] >= group["low"] - 1e-9) & (group["truth"] <= group["high"] + 1e-9)
        return pd.Series(
            {
                "cohorts": len(group),
                "bias ever/entered": 100 * error["ever_entered"].mean(),
                "bias resolved only": 100 * error["resolved_only"].mean(),
                "bias expected": 100 * error["expected"].mean(),
                "rmse ever/entered": np.sqrt((error["ever_entered"] ** 2).mean()),
                "rmse expected": np.sqrt((error["expected"] ** 2).mean()),
                "interval holds": 100 * held.mean(),
                "of those open": 100 * held[is_open].mean(),
            }
        )

    return found[found["age"] <= 6].groupby(["cut", "age"]).apply(row, include_groups=False)


@click.command()
@click.option("--companies", default=20, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Seed of the first company.")
def main(companies: int, seed: int) -> None:
    """Print bias, error and what the interval held, by cut and age of the cohort."""
    with tempfile.TemporaryDirectory() as folder:
        models = Models.compile(Path(folder))
    warehouse = models.warehouse(*MARTS, given=["stg_as_of", "int_stays_followed"])
    found = []
    for number in range(seed, seed + companies):
        found.append(judge(warehouse, stays(number)))
        click.echo(f"company {number}: {len(found[-1]):,} cohorts", err=True)
    with pd.option_context("display.width", 200, "display.float_format", "{:.3f}".format):
        click.echo(summary(pd.concat(found)).to_string())


if __name__ == "__main__":
    main()
