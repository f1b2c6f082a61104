"""Landing as one step that yields every raw table of every CRM."""

import dagster as dg
import duckdb

from orchestration.defs.landing.as_of import date_back
from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.discovery import find_extracts
from orchestration.defs.landing.land import land, open_warehouse, take_back_pending
from orchestration.defs.landing.ledger import known_files
from orchestration.defs.publish import privacy
from orchestration.defs.publish.deliver import deliver
from orchestration.defs.publish.standing import Standing
from orchestration.defs.quality.expectations import warm_up
from orchestration.defs.warehouse.ahead import start_ahead
from orchestration.defs.warehouse.project import BuiltFrom, is_built_from
from orchestration.lock import NightlyLock
from orchestration.progress import say
from orchestration.review import land_verdicts
from orchestration.settings import Settings

LEDGER = ("files", "rejects", "rewound_crms")


def raw_asset_keys() -> list[dg.AssetKey]:
    return [dg.AssetKey(table.asset_key) for table in load_contracts()]


def _specs() -> list[dg.AssetSpec]:
    ledger = [dg.AssetKey(["landing", name]) for name in LEDGER]
    keys = [*raw_asset_keys(), *ledger]
    return [dg.AssetSpec(key, group_name="raw", kinds={"duckdb"}, skippable=True) for key in keys]


@dg.multi_asset(specs=_specs(), name="landing")
def landing(context: dg.AssetExecutionContext, nightly_lock: NightlyLock):
    """Land what is new under extracts/. A disk or lock that fails may recover; bad data will not.

    Where nothing is new and what is published still stands, the rest of the night is skipped.
    """
    settings = Settings.from_env()
    try:
        privacy.from_env()
    except privacy.PrivacyError as error:  # now, and not when all is built
        raise dg.Failure(str(error), allow_retries=False) from None
    standing = Standing(settings)
    settings.extracts.mkdir(parents=True, exist_ok=True)
    try:
        with open_warehouse(settings, lambda text: say("landing", text)) as con:
            undone = take_back_pending(con, load_contracts())
            if undone and is_built_from(con, settings.marts, min(undone)):
                BuiltFrom(settings).forget()
            if has_news(con, settings):
                _warm_up()
            outcomes = land(con, settings, say=lambda text: say("landing", text))
            if verdicts := land_verdicts(con):
                say("landing", f"review_verdicts.csv: {verdicts:,} verdicts, as of the last extract")
            if settings.as_of and (crms := date_back(con, load_contracts(), settings.as_of)):
                say("landing", f"rewound to {settings.as_of:%F %T}, before the first extract: {', '.join(crms)}")
            standing.note(con)
    except (OSError, duckdb.IOException) as error:
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=30) from error
    if not outcomes:
        say("landing", "nothing new under extracts/")
    if settings.compares and (shown := standing.publication()):
        say("landing", f"the same inputs: publication {shown.publication_id} stands, nothing to do")
        stands = {"stands": shown.publication_id, "as_of": str(shown.as_of), "not_delivered": deliver(settings)}
        yield dg.AssetObservation("published", metadata=stands)
        return
    _warm_up()
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


def has_news(con: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether a file lies under extracts/ that did not land before."""
    known = known_files(con)
    files = find_extracts(settings.extracts, load_contracts())
    return any((file.name, file.size_bytes, file.modified_ns) not in known for file in files)


def _warm_up() -> None:
    """Start what the night will need and takes seconds to start; landing is DuckDB's work and leaves Python idle."""
    warm_up()
    start_ahead()
