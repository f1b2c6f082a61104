"""python -m examples.olist FROM: convert the Olist files, run a night on them, compare what it published."""

import os
import subprocess
import sys
from pathlib import Path

import click

from examples.olist.compare import compare
from examples.olist.convert import Unusable, convert, open_sources
from orchestration.settings import PROJECT_DIR, Settings

NIGHTLY = "import sys; from orchestration.cli import main; sys.exit(main())"


@click.command()
@click.argument("source", metavar="FROM", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--data",
    envvar="INFLIGHT_OLIST_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    default=PROJECT_DIR / "data" / "olist",
    help="Data folder of the run, data/olist unless INFLIGHT_OLIST_DATA names another.",
)
@click.option(
    "--closed-deals",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of the won deals, if it is not FROM/olist_closed_deals_dataset.csv.",
)
@click.option("--no-run", is_flag=True, help="Only write the extracts.")
def main(source: Path, data: Path, closed_deals: Path | None, no_run: bool) -> None:
    """Run Inflight on the Olist funnel whose files lie in FROM."""
    settings = Settings(data.resolve())
    try:
        with open_sources(source, closed_deals) as con:
            click.echo(f"Extracts: {convert(con, settings.data)}")
            if no_run:
                return
            _run_nightly(settings)
            lines = list(compare(settings.published_database, con))
    except Unusable as error:
        raise click.ClickException(str(error)) from error
    figure = None
    click.echo(f"\n{'':<40}{'published':>12}{'files':>12}")
    for line in lines:
        if line.figure != figure:
            figure = line.figure
            click.echo(figure)
        mark = "" if line.is_same else "  differs"
        click.echo(f"  {line.key:<38}{_number(line.published):>12}{_number(line.source):>12}{mark}")
    differing = sum(not line.is_same for line in lines)
    if differing:
        raise click.ClickException(f"{differing} of {len(lines)} numbers differ")
    click.echo(f"\nAll {len(lines)} numbers are the same.")


def _run_nightly(settings: Settings) -> None:
    """In a process of its own, as a scheduler would, with nothing but the data folder changed."""
    environment = os.environ | {"INFLIGHT_DATA": str(settings.data)}
    done = subprocess.run([sys.executable, "-c", NIGHTLY, "nightly"], cwd=PROJECT_DIR, env=environment)
    if done.returncode:
        raise click.ClickException(f"the nightly job ended with code {done.returncode}")


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


if __name__ == "__main__":
    main()
