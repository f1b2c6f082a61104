"""The loss autopsy on generated companies in which causes of loss are planted.

python -m bench.autopsy --companies 10

A company is drawn twice over. As drawn, causes are as strong as they are in companies of that kind, and several act at
once. Planted, three are strong (silence after a late proposal, no decision maker, legal stalled), how strong is drawn,
and no other is there. The truth is the simulator's: a loss has a cause where the same deal, at the same luck, would
have gone on without it. Nothing is tuned to them.
"""

import tempfile
import time
from datetime import date
from pathlib import Path

import click
import numpy as np
import pandas as pd

from bench.indicators import UNTIL, extract
from orchestration.sample.company import Company, Effects
from orchestration.sample.simulate import simulate
from orchestration.sample.world import LAYOUT, World
from tests.python.models import Models, Warehouse

CAUSES = ("late_proposal", "no_decision_maker", "legal_stalled")
FOUND = """
select
    replace(deal_id, 'generic:', '') as deal_id, replace(found_cause, '_silence', '') as found,
    found_cause_share as share
from loss_autopsy where not is_silent_death
"""
NAMED_FROM = (0.0, 0.2, 0.35, 0.5)
NAMED = """
select
    replace(deals.deal_id, 'generic:', '') as deal_id, {named_from} as named_from,
    coalesce(
        max_by(
            causes.cause,
            case when causes.cause = 'step_missed' then causes.share_low - 1 else causes.share end
        ) filter (
            causes.share_low > 0
            and case when causes.cause = 'step_missed' then causes.share_low else causes.share end >= {named_from}
        ),
        'unknown'
    ) as found
from int_loss_deals as deals left join int_loss_causes as causes on deals.deal_number = causes.deal_number
where not deals.is_silent_death group by all
"""


def drawn(seed: int, deals_per_week: float) -> Company:
    company = Company.draw(seed, start=date(2024, 7, 1), until=UNTIL)
    return Company.draw(
        seed, start=company.start, until=UNTIL, deals_per_week=company.deals_per_week * deals_per_week / 150
    )


def planted(seed: int, deals_per_week: float) -> Company:
    """The company with three strong causes and no others."""
    rng = np.random.default_rng([seed, 8])
    effects = Effects(
        late_proposal=float(rng.uniform(3, 5)),
        late_in_full=float(rng.uniform(2, 5)),
        no_decision_maker=float(rng.uniform(2, 4)),
        legal_stalled=float(rng.uniform(3, 5)),
        no_repeat_contact=0.0,
        price=0.0,
    )
    company = drawn(seed, deals_per_week)
    return Company.draw(
        seed,
        start=company.start,
        until=UNTIL,
        deals_per_week=company.deals_per_week,
        effects=effects,
        legal_stall=float(rng.uniform(0.1, 0.3)),
        proposal_days=float(rng.uniform(3.0, 5.0)),
    )


def autopsies(warehouse: Warehouse, world: World) -> pd.DataFrame:
    """One row per lost deal: its true cause, what was found first, and how sure."""
    warehouse.fill(extract(world))
    warehouse.rebuild()
    truth = world.truth[["deal_id", "cause"]].astype(str)
    return pd.DataFrame(warehouse.rows(FOUND)).merge(truth, on="deal_id")


def summary(found: pd.DataFrame) -> pd.Series:
    """Of each planted cause, the share named first; unknown among all losses, beside the truth."""
    named = {cause: (found.found[found.cause == cause] == cause).mean() for cause in CAUSES}
    is_planted = found.cause.isin(CAUSES)
    is_named = found.found.isin(CAUSES)
    return pd.Series(
        {
            "lost": len(found),
            **{f"{cause} first": share for cause, share in named.items()},
            "planted named first": (found.found == found.cause)[is_planted].mean(),
            "unknown": (found.found == "unknown").mean(),
            "no cause, truth": (found.cause == "none").mean(),
            "unknown of no cause": (found.found == "unknown")[found.cause == "none"].mean(),
            "named rightly": (found.found == found.cause)[is_named].mean(),
            "mean share told": found.share[is_named].mean(),
        }
    )


def sensitivity(warehouse: Warehouse, world: World) -> pd.DataFrame:
    """One row per share from which a cause might be named, with what that would have told of the same losses."""
    truth = world.truth[["deal_id", "cause"]].astype(str)
    rows = []
    for named_from in NAMED_FROM:
        found = pd.DataFrame(warehouse.rows(NAMED.format(named_from=named_from))).merge(truth, on="deal_id")
        is_named = found.found.isin(CAUSES)
        rows.append(
            {
                "loss_named_from": named_from,
                "planted named first": (found.found == found.cause)[found.cause.isin(CAUSES)].mean(),
                "unknown": (found.found == "unknown").mean(),
                "no cause, truth": (found.cause == "none").mean(),
                "unknown of no cause": (found.found == "unknown")[found.cause == "none"].mean(),
                "named rightly": (found.found == found.cause)[is_named].mean(),
            }
        )
    return pd.DataFrame(rows)


@click.command()
@click.option("--companies", default=10, show_default=True)
@click.option("--first-seed", default=1, show_default=True)
@click.option("--deals-per-week", default=100.0, show_default=True, help="In the mean; companies differ.")
def main(companies: int, first_seed: int, deals_per_week: float) -> None:
    """Print how often the planted cause is named first, and how often unknown, beside the truth."""
    rows: dict[str, list[pd.Series]] = {"as drawn": [], "planted": []}
    tried: dict[str, list[pd.DataFrame]] = {"as drawn": [], "planted": []}
    with tempfile.TemporaryDirectory() as folder:
        models = Models.compile(Path(folder))
        given = ["stg_as_of", "landing.files", *(f"generic.{entity}" for entity in LAYOUT)]
        warehouse = models.warehouse("loss_autopsy", given=given)
        for seed in range(first_seed, first_seed + companies):
            for kind, draw in (("as drawn", drawn), ("planted", planted)):
                started = time.monotonic()
                world = simulate(draw(seed, deals_per_week))
                rows[kind].append(summary(autopsies(warehouse, world)))
                tried[kind].append(sensitivity(warehouse, world))
                told = ", ".join(f"{name} {value:.3g}" for name, value in rows[kind][-1].items())
                click.echo(f"company {seed}, {kind}: {time.monotonic() - started:.0f} s; {told}", err=True)
    for kind, summaries in rows.items():
        table = pd.DataFrame(summaries)
        click.echo(f"\n{kind}: mean of {companies} companies, and the lowest")
        click.echo(pd.DataFrame({"mean": table.mean(), "lowest": table.min()}).round(3).to_string())
        click.echo("had causes been named from another share on (loss_named_from)")
        click.echo(pd.concat(tried[kind]).groupby("loss_named_from").mean().round(3).to_string())


if __name__ == "__main__":
    main()
