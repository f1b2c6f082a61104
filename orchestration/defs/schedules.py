"""When the job runs, and what is said when it fails."""

import hashlib
import time

import dagster as dg

from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.discovery import find_extracts
from orchestration.defs.publish.publish import current
from orchestration.lock import Busy, NightlyLock, nightly_lock
from orchestration.notify.tell import tell_of_failure
from orchestration.progress import say
from orchestration.settings import Settings

SETTLED_SECONDS = 60  # a file younger than this may still be being written


@dg.failure_hook(name="say_what_bi_still_shows")
def on_failure(context: dg.HookContext) -> None:
    """What failed, and what BI still shows."""
    settings = Settings.from_env()
    shown = current(settings)
    still = (
        f"BI still shows publication {shown.publication_id}, as of {shown.as_of:%F %T}"
        if shown
        else "BI has nothing yet"
    )
    error = context.op_exception
    message = f"{context.op.name} failed: {_first_words(error) if error else 'see the log'}"
    say("failed", f"{message}. {still}.")
    context.log.error(f"{message}. {still}.")
    tell_of_failure(settings, f"{message}. {still}.", lambda text: say("notify", text))


def _first_words(error: BaseException) -> str:
    """The line that says most: dbt's own error where there is one."""
    text = str(error).strip()
    _, found, own = text.partition("Errors parsed from dbt logs:")
    lines = [line.strip() for line in (own if found else text).splitlines() if line.strip()]
    return " ".join(lines[:3] if found else lines[:1])


nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Extracts in, audited tables out.",
    executor_def=dg.in_process_executor,  # DuckDB has one writer
    hooks={on_failure},
)

every_night = dg.ScheduleDefinition(
    name="every_night",
    job=nightly,
    cron_schedule="0 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.sensor(job=nightly, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def new_extracts(context: dg.SensorEvaluationContext):
    """Run when files under extracts/ have changed and have all been quiet for a minute."""
    files = find_extracts(Settings.from_env().extracts, load_contracts())
    if not files:
        return dg.SkipReason("no extracts yet")
    if time.time() - max(file.modified_ns for file in files) / 1e9 < SETTLED_SECONDS:
        return dg.SkipReason("an extract is still being written")
    try:
        with nightly_lock(Settings.from_env()):
            pass
    except Busy as error:
        return dg.SkipReason(str(error))
    seen = hashlib.sha256(repr([(f.name, f.size_bytes, f.modified_ns) for f in files]).encode()).hexdigest()
    if seen == context.cursor:
        return dg.SkipReason("nothing new under extracts/")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=seen)], cursor=seen)


@dg.definitions
def schedules() -> dg.Definitions:
    return dg.Definitions(
        jobs=[nightly],
        schedules=[every_night],
        sensors=[new_extracts],
        resources={"nightly_lock": NightlyLock()},
    )
