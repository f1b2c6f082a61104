"""The ledger on generated companies into which indicators of a known kind are planted.

python -m bench.indicators --companies 20

Every company has other habits and no fault. Beside the project's own indicators it gets five of a known kind: one that
is drawn by lot, one that differs between segments alone, one that is set when a deal is won, one that is told back to
the creation of won deals, and the touches of one team, doubled in the last two weeks by e-mails that nobody answers.
"""

import shutil
import tempfile
import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import click
import numpy as np
import pandas as pd

from orchestration.defs.warehouse.indicators import FOLDER, write_refs
from orchestration.sample.company import Company
from orchestration.sample.known import known_at
from orchestration.sample.simulate import simulate
from orchestration.sample.world import LAYOUT, World
from orchestration.settings import PROJECT_DIR
from tests.python.models import Models, Warehouse

UNTIL = date(2026, 6, 30)
GAMED = "touches_14_days"

# kind -> indicators, all of which must get the verdict
EXPECTED = {
    "cause": (["decision_maker_involved"], "predicts"),
    "symptom": (["replies_14_days"], "predicts"),
    "by lot": (["planted_lot"], "no evidence"),
    "confounded": (["planted_amount"], "no evidence"),
    "leaky": (["planted_contract", "planted_label"], "leaks"),
}
PLANTED = {
    "planted_lot": """
        select deal_id, created_at as changed_at, cast(hash(deal_id) % 1000 as double) as value,
            (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
        from {{ ref('dim_deals') }}
    """,
    "planted_amount": """
        select deals.deal_id, deals.created_at as changed_at,
            cast(ln(1 + coalesce(first_changes.old_amount, deals.amount)) as double) as value,
            (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
        from {{ ref('dim_deals') }} as deals
        left join {{ ref('fct_deal_changes') }} as first_changes
            on deals.deal_id = first_changes.deal_id
            and first_changes.field = 'amount' and first_changes.change_number = 1
    """,
    "planted_contract": """
        select deal_id, won_at as changed_at, cast(1 as double) as value,
            (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
        from {{ ref('fct_deals') }} where won_at is not null
    """,
    "planted_label": """
        select deal_id, created_at as changed_at, cast(1 as double) as value,
            (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
        from {{ ref('fct_deals') }} where won_at is not null
    """,
}
YAML = """
  - name: ind_{name}
    description: Planted.
    config: {{meta: {{question: Planted, unit: none, influence: input, direction: higher, owner: nobody{default}}}}}
    columns: *step_function
"""


def plant(project: Path) -> None:
    """Copy the dbt project to `project` and add the planted indicators."""
    for name in ("models", "macros", "seeds", "tests/data"):
        shutil.copytree(PROJECT_DIR / name, project / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copyfile(PROJECT_DIR / name, project / name)
    declared = project / FOLDER / "_indicators__models.yml"
    text = declared.read_text().rstrip("\n") + "\n"
    for name, sql in PLANTED.items():
        (project / FOLDER / f"ind_{name}.sql").write_text(sql)
        text += YAML.format(name=name, default=", default: 0" if name in ("planted_contract", "planted_label") else "")
    declared.write_text(text)
    write_refs(project)


def extract(world: World) -> dict[str, pd.DataFrame]:
    at = datetime.combine(UNTIL, datetime.max.time()).replace(microsecond=0)
    tables = {f"generic.{name}": table.assign(_extracted_at=at) for name, table in known_at(world, at).items()}
    return {"stg_as_of": pd.DataFrame({"as_of": [at], "newest_load_id": [1]}), **tables}


def gamed(tables: dict[str, pd.DataFrame], team: str, days: int, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """The same activities, with as many e-mails again by one team in the last days, all of them unanswered."""
    users, activities = tables["generic.users"], tables["generic.activities"]
    owners = users.loc[users["team"] == team, "user_id"]
    since = np.datetime64(UNTIL + timedelta(days=1 - days))
    real = activities[
        activities["owner_id"].isin(owners) & (activities["direction"] == "out") & (activities["occurred_at"] >= since)
    ]
    delay = pd.to_timedelta(rng.integers(60, 3600, len(real)), unit="s")
    sent = (real["occurred_at"] + delay).clip(upper=tables["stg_as_of"]["as_of"].iloc[0])
    faked = real.assign(
        activity_id="F" + real["activity_id"], type="email", outcome="sent", occurred_at=sent, logged_at=sent
    )
    return {"generic.activities": pd.concat([activities, faked], ignore_index=True)}


def verdicts(warehouse: Warehouse) -> dict[str, str]:
    own = "select indicator, verdict from indicator_ledger where landmark = '(all)' and segment = '(all)'"
    return {row["indicator"]: row["verdict"] for row in warehouse.rows(own)}


@click.command()
@click.option("--companies", default=20, show_default=True)
@click.option("--first-seed", default=1, show_default=True)
@click.option("--deals-per-week", default=100.0, show_default=True, help="In the mean; companies differ.")
def main(companies: int, first_seed: int, deals_per_week: float) -> None:
    """Print, of each kind of indicator, in how many companies it got the right verdict."""
    right, wrong = Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        plant(project)
        models = Models.compile(Path(folder) / "data", project)
        given = ["stg_as_of", "landing.files", *(f"generic.{entity}" for entity in LAYOUT)]
        warehouse = models.warehouse("indicator_ledger", given=given)
        for seed in range(first_seed, first_seed + companies):
            started = time.monotonic()
            drawn = Company.draw(seed, start=date(2024, 7, 1), until=UNTIL)
            company = Company.draw(
                seed, start=drawn.start, until=UNTIL, deals_per_week=drawn.deals_per_week * deals_per_week / 150
            )
            tables = extract(simulate(company))
            warehouse.fill(tables)
            warehouse.rebuild()
            told = verdicts(warehouse)
            for kind, (names, expected) in EXPECTED.items():
                got = {name: told[name] for name in names}
                right[kind] += all(verdict == expected for verdict in got.values())
                wrong += [f"company {seed}: {name} is {v}" for name, v in got.items() if v != expected]
            right["not gamed"] += told[GAMED] != "gamed"
            warehouse.fill(gamed(tables, company.teams[seed % 4].name, 14, np.random.default_rng(seed)))
            warehouse.rebuild()
            told = verdicts(warehouse)
            right["gamed"] += told[GAMED] == "gamed"
            wrong += [f"company {seed}: {GAMED} is {told[GAMED]} after 14 days"] if told[GAMED] != "gamed" else []
            deals = len(tables["generic.deals"])
            click.echo(f"company {seed}: {deals:,} deals, {time.monotonic() - started:.0f} s; {dict(right)}", err=True)
    for kind in [*EXPECTED, "gamed", "not gamed"]:
        click.echo(f"{kind:12} {right[kind]:3d} of {companies}")
    for line in wrong:
        click.echo(line)


if __name__ == "__main__":
    main()
