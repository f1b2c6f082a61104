"""Landing as one step that yields every raw table of every CRM."""

import dagster as dg
import duckdb

from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.land import land, open_warehouse, take_back_pending
from orchestration.defs.quality.expectations import warm_up
from orchestration.defs.warehouse.project import BuiltFrom
from orchestration.lock import NightlyLock
from orchestration.progress import say
from orchestration.review import land_verdicts
from orchestration.settings import Settings

LEDGER = ("files", "rejects")


def raw_asset_keys() -> list[dg.AssetKey]:
    return [dg.AssetKey(table.asset_key) for table in load_contracts()]


def _specs() -> list[dg.AssetSpec]:
    ledger = [dg.AssetKey(["landing", name]) for name in LEDGER]
    return [dg.AssetSpec(key, group_name="raw", kinds={"duckdb"}) for key in [*raw_asset_keys(), *ledger]]


@dg.multi_asset(specs=_specs(), name="landing")
def landing(context: dg.AssetExecutionContext, nightly_lock: NightlyLock):
    """Land what is new under extracts/. A disk or lock that fails may recover; bad data will not."""
    warm_up()
    settings = Settings.from_env()
    settings.extracts.mkdir(parents=True, exist_ok=True)
    try:
        with open_warehouse(settings, lambda text: say("landing", text)) as con:
            if take_back_pending(con, load_contracts()):
                BuiltFrom(settings).forget()  # someone may have built from it by hand
            outcomes = land(con, settings, say=lambda text: say("landing", text))
            if verdicts := land_verdicts(con):
                say("landing", f"review_verdicts.csv: {verdicts:,} verdicts, as of the last extract")
    except (OSError, duckdb.IOException) as error:
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=30) from error
    if not outcomes:
        say("landing", "nothing new under extracts/")
    for table in load_contracts():
        mine = [outcome for outcome in outcomes if (outcome.file.crm, outcome.file.entity) == table.asset_key]
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(table.asset_key),
            metadata={
                "files": len(mine),
                "rows_landed": sum(outcome.rows_landed for outcome in mine),
                "rows_set_aside": sum(outcome.rows_set_aside for outcome in mine),
                "rows_repeated": sum(outcome.rows_repeated for outcome in mine),
            },
        )
    for name in LEDGER:
        yield dg.MaterializeResult(asset_key=dg.AssetKey(["landing", name]))
