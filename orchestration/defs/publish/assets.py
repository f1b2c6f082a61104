"""Publication as the last asset of the night, downstream of every mart."""

import dagster as dg
import duckdb

from orchestration.defs.publish.deliver import deliver
from orchestration.defs.publish.publish import PublicationError, publish
from orchestration.defs.publish.standing import Standing
from orchestration.defs.warehouse.project import marts
from orchestration.lock import NightlyLock
from orchestration.progress import say
from orchestration.settings import Settings


@dg.asset(deps=marts(Settings.from_env()), group_name="published", kinds={"duckdb", "parquet"})
def published(context: dg.AssetExecutionContext, nightly_lock: NightlyLock) -> dg.MaterializeResult:
    """The file BI reads, replaced in one step."""
    settings = Settings.from_env()
    names = marts(settings)
    passed = _passed_checks(context)
    unchecked = [name for name in names if ("gate_2", name) not in passed]
    if unchecked:
        raise dg.Failure(f"gate 2 did not pass {', '.join(unchecked)} in this run", allow_retries=False)
    try:
        done = publish(settings, names, context.run_id, len(passed))
    except PublicationError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    except (OSError, duckdb.IOException) as error:
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=30) from error
    if not context.run.asset_selection:  # the whole night, not a part of it that someone chose
        Standing(settings).sign(done)
    say("publish", f"{len(done.tables)} tables, {sum(done.tables.values()):,} rows as of {done.as_of:%F %T}")
    return dg.MaterializeResult(
        metadata={
            "publication_id": done.publication_id,
            "as_of": str(done.as_of),
            "rows": sum(done.tables.values()),
            "not_delivered": deliver(settings),
        }
    )


def _passed_checks(context: dg.AssetExecutionContext) -> set[tuple[str, str]]:
    """(check, asset) of the dbt tests and gate results that passed in this run."""
    records = context.instance.all_logs(context.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [record.dagster_event.asset_check_evaluation_data for record in records]
    return {(done.check_name, done.asset_key.to_user_string()) for done in evaluations if done.passed}
