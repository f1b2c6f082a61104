"""Indicators: nothing from the future, and the ledger's statistics against other people's libraries."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest

from orchestration.sample.company import Company
from orchestration.sample.known import known_at
from orchestration.sample.simulate import simulate
from orchestration.sample.world import World
from tests.python.models import Models, Warehouse

ENTITIES = (
    "deals stage_changes field_changes activities tasks accounts contacts deal_contacts users stages revenue_events"
).split()
FIRST, LAST = date(2024, 9, 1), date(2026, 2, 28)


@pytest.fixture(scope="module")
def world() -> World:
    """A small company. Nothing is deleted in it: a deal that was deleted is gone from its owner's past as well."""
    return simulate(replace(Company(seed=11, start=FIRST, until=LAST, deals_per_week=7.0, faults=()), deleted=0.0))


@pytest.fixture(scope="module")
def warehouse(models: Models) -> Warehouse:
    return models.warehouse(
        "int_indicator_values", given=["stg_as_of", "landing.files", *(f"generic.{entity}" for entity in ENTITIES)]
    )


def as_known(world: World, at: datetime) -> dict[str, list[dict]]:
    """An extract taken at that moment, as landing would leave it."""
    tables = {
        f"generic.{entity}": [
            {name: None if pd.isna(value) else value for name, value in row.items()} | {"_extracted_at": at}
            for row in table.to_dict("records")
        ]
        for entity, table in known_at(world, at).items()
    }
    return {"stg_as_of": [{"as_of": at, "newest_load_id": 1}], **tables}


# The last row at or before a moment, as far as it has grown by then, of the deals that were open.
SAMPLED = """
    select
        steps.deal_id, steps.indicator,
        round(
            arg_max(steps.value, steps.changed_at)
            + arg_max(steps.grows_per_day, steps.changed_at)
                * date_diff('second', max(steps.changed_at), timestamp '{at}') / 86400,
            4
        ) as value
    from int_indicator_values as steps
    where steps.changed_at <= timestamp '{at}'
    group by steps.deal_id, steps.indicator
"""


def sample(warehouse: Warehouse, at: datetime) -> dict[tuple[str, str], float]:
    return {(row["deal_id"], row["indicator"]): row["value"] for row in warehouse.rows(SAMPLED.format(at=at))}


def test_no_indicator_knows_more_of_a_day_than_was_known_on_it(warehouse: Warehouse, world: World):
    """Over all models ind_*, the next one among them: full data and data cut at a day give the day the same values."""
    draw = np.random.default_rng(3)
    days = [datetime(2025, 6, 1) + timedelta(hours=int(hours)) for hours in draw.integers(0, 24 * 240, 3)]
    warehouse.build(as_known(world, datetime.combine(LAST, time.max)))
    later = {day: sample(warehouse, day) for day in days}
    seen = set()
    for day in days:
        warehouse.build(as_known(world, day))
        open_then = {row["deal_id"] for row in warehouse.rows("select deal_id from dim_deals where status = 'open'")}
        then, told = (
            {key: value for key, value in values.items() if key[0] in open_then}
            for values in (sample(warehouse, day), later[day])
        )
        unlike = {key: (then.get(key), told.get(key)) for key in then | told if then.get(key) != told.get(key)}
        assert not unlike, f"at {day}, known then and told later: {dict(list(unlike.items())[:8])}"
        seen |= {indicator for _, indicator in then}
    declared = {name.removeprefix("ind_") for name in warehouse.models.ids if name.startswith("ind_")}
    assert declared - seen == {"discount_asked"}  # the example company's CRM has no such field
