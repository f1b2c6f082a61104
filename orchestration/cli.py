"""The command line: `inflight sample`, `nightly`, `status`, `dashboard`, `publish`, `digest`, `review` and others."""

import contextlib
import os
import shutil
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path

import click
import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.progress import say
from orchestration.settings import ACCEPT, PROJECT_DIR, Settings

console = Console(highlight=False, soft_wrap=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Inflight: extracts in, audited tables out.

    Everything is read from and written to the folder INFLIGHT_DATA (default: data/).
    """
    Settings.from_env().export()


@main.command()
@click.option("--seed", default=7, show_default=True, help="Another seed, another company.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), default="2026-06-30", show_default=True, help="Last day.")
@click.option("--deals-per-week", default=150.0, show_default=True, help="About so many new deals a week.")
@click.option("--if-empty", is_flag=True, help="Only if there are no extracts yet.")
def sample(seed: int, until: datetime, deals_per_week: float, if_empty: bool) -> None:
    """Make the example company's extracts: two years of a B2B sales department, with one planted problem."""
    settings = Settings.from_env()
    if if_empty and settings.extracts.exists() and any(settings.extracts.rglob("*.*")):
        say("sample", f"{settings.extracts} holds extracts already; nothing made")
        return
    from orchestration.sample.company import Company
    from orchestration.sample.extracts import write_extracts
    from orchestration.sample.simulate import simulate

    last_day = until.date()
    day_after = last_day + timedelta(days=1)
    start = date(day_after.year - 2, day_after.month, 1)
    say("sample", f"simulating {start} to {last_day}")
    world = simulate(Company(seed=seed, start=start, until=last_day, deals_per_week=deals_per_week))
    paths = write_extracts(world, settings.extracts / "generic", datetime.combine(last_day, time(23, 59, 59)))
    say("sample", f"{len(paths)} files written to {paths[0].parent}")


@main.command()
@click.argument("crm", type=click.Choice(["amocrm", "bitrix24", "hubspot", "pipedrive", "salesforce"]))
@click.option("--full", is_flag=True, help="All there is, not only what changed since the last pull.")
def pull(crm: str, full: bool) -> None:
    """Pull extracts from CRM's API into extracts/: all the first time, then what changed.

    The address and the token are read from the environment: docs/pulling.md. A pull that was stopped goes on where it
    stopped.
    """
    from orchestration.pull.client import PullError
    from orchestration.pull.pull import pull as pull_from

    try:
        folder = pull_from(Settings.from_env(), crm, full, say=lambda text: say(crm, text))
    except PullError as error:
        raise click.ClickException(str(error)) from None
    say(crm, f"written to {folder}; inflight nightly lands it")


@main.command()
@click.option("--accept", is_flag=True, help="Compare with no earlier night: tonight's volumes and values are right.")
@click.option(
    "--as-of", metavar="TIME", help="Build what was known at a day's end, or a time in UTC, in its own folder."
)
def nightly(accept: bool, as_of: str | None) -> None:
    """Run the nightly job: land, gate 1, dbt, gate 2, publish. The same job that Dagster's schedule runs."""
    from orchestration.lock import Busy, nightly_lock

    settings = Settings.from_env()
    if as_of:
        from orchestration.look_back import folder_as_of, moment_of

        try:
            settings = folder_as_of(settings, moment_of(as_of))
        except (Busy, ValueError) as error:
            raise click.ClickException(str(error)) from None
    os.environ[ACCEPT] = "1" if accept else ""
    try:
        with nightly_lock(settings):
            pass
    except Busy as error:
        raise click.ClickException(str(error)) from None
    if not settings.extracts.exists() or not any(path.is_file() for path in settings.extracts.rglob("*")):
        raise click.ClickException(
            f"there is nothing under {settings.extracts}; put extracts there, or make some with: inflight sample"
        )
    say("nightly", f"loading the job; data folder {settings.data}")
    if not _run(settings):
        _show_stop(settings)
        sys.exit(1)
    _show_publication(settings)


def _run(settings: Settings) -> bool:
    """Run the job in this process; what Dagster and dbt print goes to a log file."""
    from orchestration.defs.warehouse.project import ProjectError, parse_ahead

    parse_ahead(settings)

    import dagster as dg

    from orchestration.definitions import defs

    log = settings.data / "nightly.log"
    with log.open("w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        try:
            job = defs().resolve_job_def("nightly")
        except ProjectError as error:
            from orchestration.notify.tell import tell_of_failure

            tell_of_failure(settings, "dbt cannot read the project; nothing ran.", lambda text: say("notify", text))
            raise click.ClickException(str(error)) from None
        with dg.DagsterInstance.get() as instance:
            return job.execute_in_process(instance=instance, raise_on_error=False).success


@main.command()
def check() -> None:
    """Read the whole project, dbt and Dagster, and say if it is sound. Runs nothing."""
    from orchestration.definitions import defs
    from orchestration.defs.warehouse.project import ProjectError, marts

    try:
        job = defs().resolve_job_def("nightly")
    except ProjectError as error:
        raise click.ClickException(str(error)) from None
    say(
        "check",
        f"{len(job.asset_layer.selected_asset_keys)} assets, to publish: {', '.join(marts(Settings.from_env()))}",
    )


@main.command()
def status() -> None:
    """What is published, what landed, and what was set aside and why."""
    settings = Settings.from_env()
    _show_publication(settings)
    _show_landing(settings)


@main.command()
@click.option("--team", metavar="NAME", help="Write this team's own file, with only its rows; nights keep it up.")
def publish(team: str | None) -> None:
    """Bring PostgreSQL to what BI sees, now: what each night does where PUBLISH_POSTGRES_URL is set.

    With --team, write the team's file first: data/published/teams/<team>/, and in PostgreSQL a schema of its own.
    """
    from orchestration.defs.publish.postgres import URL, PostgresError, target
    from orchestration.defs.publish.publish import PublicationError, current
    from orchestration.lock import Busy, nightly_lock

    settings = Settings.from_env()
    if current(settings) is None:
        raise click.ClickException("nothing is published yet; run: inflight nightly")
    if target() is None and not team:
        raise click.ClickException(f"{URL} is not set: docs/connecting-bi.md")
    try:
        with nightly_lock(settings):
            _publish(settings, team)
    except (Busy, PostgresError, PublicationError) as error:
        raise click.ClickException(str(error)) from None


def _publish(settings: Settings, team: str | None) -> None:
    from orchestration.defs.publish.deliver import to_postgres
    from orchestration.defs.publish.postgres import target
    from orchestration.defs.publish.teams import publish_team

    if team:
        written = publish_team(settings, team)
        say("publish", f"{written.database}: {len(written.tables)} tables, {sum(written.tables.values()):,} rows")
        say("publish", f"left out, for they speak of everybody: {', '.join(written.left_out)}")
    if target():
        to_postgres(settings)


@main.command()
@click.option("--mail", "is_mailed", is_flag=True, help="Mail it too, to those who have not got it.")
def digest(is_mailed: bool) -> None:
    """Write the morning digest of what BI sees: one HTML file, data/digest/latest.html. Each night does."""
    from orchestration.defs.publish.publish import current
    from orchestration.digest.digest import mail, write

    settings = Settings.from_env()
    if current(settings) is None:
        raise click.ClickException("nothing is published yet; run: inflight nightly")
    path, written = write(settings)
    say("digest", str(path))
    if is_mailed and mail(settings, written, lambda text: say("digest", text)):
        sys.exit(1)


@main.command()
@click.option("--test", "is_test", is_flag=True, help="Send a test message through every channel that is set up.")
def notify(is_test: bool) -> None:
    """Tell of new alerts by e-mail, webhook and Telegram, as the environment sets them up: docs/notifications.md."""
    from orchestration.notify.channels import ChannelError, from_env
    from orchestration.notify.news import alerts
    from orchestration.notify.tell import TEST, tell

    settings = Settings.from_env()
    channels = from_env()
    if not channels:
        raise click.ClickException("no channel is set up: docs/notifications.md")
    if not is_test:
        news = alerts(settings.published_database) if settings.published_database.exists() else []
        sys.exit(1 if tell(settings, news, lambda text: say("notify", text), channels) else 0)
    has_failed = False
    for channel in channels:
        try:
            channel.send(TEST)
            say("notify", f"{channel.name}: delivered")
        except ChannelError as error:
            has_failed = True
            say("notify", f"{channel.name}: {error}")
    sys.exit(1 if has_failed else 0)


@main.command()
def retry() -> None:
    """Land rows that were set aside and fit the contract by now. They count from the next night on."""
    from orchestration.defs.landing.contract import ContractError, load_contracts
    from orchestration.defs.landing.land import open_warehouse
    from orchestration.defs.landing.retry import retry as retry_rows
    from orchestration.lock import Busy, nightly_lock

    settings = Settings.from_env()
    if not settings.warehouse.exists():
        raise click.ClickException("nothing has landed yet. Run: inflight nightly")
    try:
        with nightly_lock(settings), open_warehouse(settings) as con:
            done = retry_rows(con, settings, load_contracts(), lambda text: say("retry", text))
    except (Busy, ContractError) as error:
        raise click.ClickException(str(error)) from None
    landed = sum(each.rows_landed + each.rows_repeated for each in done)
    left = sum(each.rows_left for each in done)
    say("retry", f"{landed:,} rows landed, {left:,} stay aside" + (": see inflight status" if left else ""))


@main.group()
def review() -> None:
    """The review queue: deals that await a person's decision.

    Verdicts are appended to seeds/review_verdicts.csv in the project: commit it, git keeps who decided what. They
    count from the next night on.
    """


@review.command("list")
@click.option("--limit", default=30, show_default=True, help="Show so many, the largest amounts first.")
def review_list(limit: int) -> None:
    """Show the open cases of the published queue."""
    from orchestration.review import ReviewError, open_cases

    try:
        cases, counts = open_cases(Settings.from_env(), limit)
    except ReviewError as error:
        raise click.ClickException(str(error)) from None
    for case in cases:
        amount = "no amount" if case.amount is None else f"{case.amount:,.0f} {case.currency or ''}".rstrip()
        console.print(f"{case.deal_id}  {case.segment}, {case.team}, {amount}", markup=False, soft_wrap=True)
        console.print(f"    {case.what_to_decide} {case.reasons}; {case.age_days} days", markup=False, soft_wrap=True)
    for question, count in counts.items():
        console.print(f"{count:,} open: {question}", markup=False)
    if not counts:
        console.print("Nothing awaits a decision.")


@review.command("decide")
@click.argument("deal_id")
@click.option("--segment", help="It belongs to this segment.")
@click.option("--typical", is_flag=True, help="It is odd, but counts in the norms of its segment.")
@click.option("--exclude", is_flag=True, help="It does not count in the norms.")
@click.option("--by", required=True, help="Who decides.")
@click.option("--note", default="", help="Why.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Day of the data decided on.  [default: as published]")
def review_decide(
    deal_id: str, segment: str | None, typical: bool, exclude: bool, by: str, note: str, on: datetime | None
) -> None:
    """Give a verdict on DEAL_ID: one of --segment, --typical, --exclude. A newer verdict overrules an older one."""
    from orchestration.review import VERDICTS, ReviewError, decide

    verdicts = {"segment": segment is not None, "typical": typical, "exclude_from_norms": exclude}
    given = [name for name, is_given in verdicts.items() if is_given]
    if len(given) != 1:
        raise click.UsageError("say one of --segment, --typical, --exclude")
    try:
        line = decide(Settings.from_env(), deal_id, given[0], segment, by, note, on.date() if on else None)
    except ReviewError as error:
        raise click.ClickException(str(error)) from None
    say("review", f"verdict {line['verdict_number']} on {deal_id} written to {VERDICTS}; it counts from the next night")


@main.group()
def new() -> None:
    """Write the files of something new, to be filled in."""


@new.command("indicator")
@click.argument("name")
def new_indicator(name: str) -> None:
    """Write a leading indicator NAME: its SQL, its YAML and a unit test. See docs/adding-an-indicator.md."""
    from orchestration.defs.warehouse.indicators import IndicatorError, write_indicator

    try:
        paths = write_indicator(name)
    except IndicatorError as error:
        raise click.ClickException(str(error)) from None
    for path in paths:
        say("new", f"edit {path.relative_to(PROJECT_DIR)}")
    say("new", "then: inflight nightly")


@main.command()
def docs() -> None:
    """Write docs/metrics.md from the YAML, and dbt's docs as one page that needs no network: target/docs/index.html."""
    from orchestration.docs import write_docs

    for path in write_docs(Settings.from_env()):
        say("docs", str(path))


@main.command("mf", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def metricflow(arguments: tuple[str, ...]) -> None:
    """MetricFlow's mf on what BI sees, as: inflight mf query --metrics deals_won --group-by metric_time__month"""
    from orchestration.metrics import mf

    settings = Settings.from_env()
    if not settings.published_database.exists():
        raise click.ClickException("nothing is published yet; run: inflight nightly")
    mf(settings, arguments)


@main.command()
def backtest() -> None:
    """Replay history: what was raised when, and how long before revenue or weekly conversion showed it.

    Incidents that people know of stand in seeds/known_incidents.csv; an alert that tells of none of them counts as
    not known. All from the published table backtest_alerts.
    """
    from orchestration.backtest import BacktestError, replayed

    try:
        history = replayed(Settings.from_env())
    except BacktestError as error:
        raise click.ClickException(str(error)) from None
    if history.judged_from is None:
        console.print(f"Charts are learning; the first day they judge is {history.ready_on or 'not known yet'}.")
        return
    console.print(f"Judged: {history.judged_from} to {history.judged_until}, each day by what was known before it.")
    for incident in history.incidents:
        raised = "missed" if incident.raised_on is None else f"raised {incident.raised_on}"
        days = "" if incident.days_to_alert is None else f", {incident.days_to_alert} days after it began"
        console.print(f"{raised}{days}  [{incident.verdict}]  {incident.what}", markup=False, soft_wrap=True)
        if incident.raised_on is not None:
            for figure, ahead in incident.days_before.items():
                seen = (
                    "never showed it"
                    if ahead is None
                    else f"{ahead} days later"
                    if ahead >= 0
                    else f"{-ahead} days earlier"
                )
                console.print(f"    {figure}: {seen}", markup=False)
    console.print(history.summary)


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
def dev(port: int) -> None:
    """Start Dagster's web UI and daemon on 127.0.0.1; the schedule and the sensor are on."""
    dagster = str(Path(sys.executable).with_name("dagster"))
    command = [dagster, "dev", "-m", "orchestration.definitions", "--host", "127.0.0.1", "--port", str(port)]
    os.chdir(PROJECT_DIR)
    raise SystemExit(subprocess.call(command))


@main.command()
@click.option("--port", default=8501, show_default=True, help="Port to listen on.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Another one asks for DASHBOARD_PASSWORD.")
def dashboard(port: int, address: str) -> None:
    """Show what is published in the browser: alerts, funnel, deals, losses, team, indicators."""
    from dashboard.serve import ServeError, command

    try:
        start = command(address, port)
    except ServeError as error:
        raise click.ClickException(str(error)) from None
    say("dashboard", f"http://{address}:{port}, stop it with Ctrl-C")
    raise SystemExit(subprocess.call(start, cwd=PROJECT_DIR))


def _show_publication(settings: Settings) -> None:
    from orchestration.defs.publish.publish import current

    shown = current(settings)
    if shown is None:
        console.print("Nothing is published yet. Run: inflight nightly")
        return
    table = Table(title=f"Published as of {shown.as_of:%F %T} UTC", title_justify="left", min_width=48)
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, rows in shown.tables.items():
        table.add_row(name, f"{rows:,}")
    console.print(table)
    console.print(_figures(settings))
    console.print(f"{shown.checks_passed} checks passed. Publication {shown.publication_id}")
    console.print(f"DuckDB   {settings.published_database}", soft_wrap=True)
    console.print(f"Parquet  {settings.published / 'parquet'}", soft_wrap=True)
    console.print(f"Quality  {settings.quality / 'gate_2' / 'index.html'}", soft_wrap=True)


def _figures(settings: Settings) -> Table:
    """A few figures of the last twelve months, by segment: counts only, nothing read as final."""
    with duckdb.connect(str(settings.published_database), read_only=True) as con:
        rows = con.execute("""
            select
                segment, count(*), count(*) filter (status = 'open'), count(*) filter (status = 'won'),
                count(*) filter (status = 'lost')
            from fct_deals inner join dim_deals using (deal_id, status)
            where fct_deals.created_at > (select max(as_of) from publication) - interval 1 year
            group by rollup (segment) order by segment nulls last
        """).fetchall()
    table = Table(title="Deals created in the last 12 months", title_justify="left", min_width=48)
    table.add_column("segment", no_wrap=True)
    for name in ("created", "still open", "won so far", "lost so far"):
        table.add_column(name, justify="right")
    for segment, *counts in rows:
        table.add_row(segment or "all", *(f"{count:,}" for count in counts))
    return table


def _show_landing(settings: Settings) -> None:
    if not settings.warehouse.exists():
        return
    try:
        con = duckdb.connect(str(settings.warehouse), read_only=True)
    except duckdb.IOException:
        raise click.ClickException("a run is at work on the warehouse; what landed can be seen when it ends") from None
    with con:
        has_landed = con.execute("select count(*) from duckdb_tables() where schema_name = 'landing'").fetchone()[0]
        if has_landed:
            _show_files(con)
            _show_rejects(con)


def _show_files(con: duckdb.DuckDBPyConnection) -> None:
    from orchestration.defs.landing import freshness
    from orchestration.defs.landing.contract import load_contracts

    table = Table(title="Landed", title_justify="left")
    for name in ("CRM", "entity", "status"):
        table.add_column(name)
    for name in ("files", "rows in files", "landed", "set aside", "repeated"):
        table.add_column(name, justify="right")
    for crm, entity, state, *counts in con.execute("""
        select
            crm, entity, status, count(*), sum(rows_in_file), sum(rows_landed), sum(rows_set_aside),
            sum(rows_repeated)
        from landing.files where crm <> 'review' group by all order by all
    """).fetchall():
        table.add_row(crm, entity, state, *(f"{int(count):,}" for count in counts))
    console.print(table)
    for path, state, reason in con.execute("""
        select path, status, reason from landing.files
        where status in ('refused', 'ignored') or reason is not null and status <> 'repeated' order by 1
    """).fetchall():
        console.print(f"{state}: {path}: {reason}", soft_wrap=True, markup=False)
    for each in freshness.late(con, load_contracts()):
        console.print(f"not delivered: {each}", soft_wrap=True, markup=False)
    # Of each entity's last file: what it lacks, though some column of it looks like it.
    for path, may_be_now in con.execute("""
        select path, may_be_now from landing.files where len(may_be_now) > 0
        qualify row_number() over (partition by crm, entity order by extracted_at desc, load_id desc) = 1
    """).fetchall():
        for column, name in (each.split(": ", 1) for each in may_be_now):
            said = f"renamed? {path}: column {column} is missing; {name} may be it (names: [{name}] in the contract)"
            console.print(said, soft_wrap=True, markup=False)


def _show_rejects(con: duckdb.DuckDBPyConnection) -> None:
    rejects = con.execute("""
        select path, column_name, reason, count(*), min(line), arg_min(value, line)
        from landing.rejects group by all order by 4 desc, 1, 2 limit 20
    """).fetchall()
    if rejects:
        console.print("Set aside (all rows: table landing_rejects; once the contract is mended: inflight retry):")
    for path, column, reason, count, line, value in rejects:
        example = f", first in line {line}" + (f", value {value!r}" if value is not None else "")
        column = f" {column}:" if column else ""
        console.print(f"  {path}:{column} {reason} ({count:,} rows{example})", soft_wrap=True, markup=False)


def _show_stop(settings: Settings) -> None:
    say("nightly", f"stopped; the log is {settings.data / 'nightly.log'}")
    if (settings.quality / "gate_1" / "index.html").exists():
        say("nightly", f"quality reports: {settings.quality}/gate_1/index.html and gate_2/index.html")
    say("nightly", "mend or remove what is named above, then run again: inflight nightly")


if __name__ == "__main__":
    main(prog_name=shutil.which("inflight") and "inflight")
