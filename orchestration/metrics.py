"""MetricFlow's own command line on what BI sees: the metrics that models/marts/_semantic_models.yml defines."""

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestration.defs.warehouse.project import STAMP, manifest
from orchestration.settings import PROJECT_DIR, Settings

TARGET = "INFLIGHT_TARGET"  # of profiles.yml
MANIFEST = "semantic_manifest.json"


def semantic_manifest(settings: Settings) -> Path:
    """The semantic manifest of the project as it is now; dbt writes it when it parses."""
    path = settings.dbt_target / MANIFEST
    if not path.exists():
        (settings.dbt_target / STAMP).unlink(missing_ok=True)  # parsed by a dbt that had no metrics to write
    manifest(settings)
    return path


def mf(settings: Settings, *commands: Sequence[str]) -> None:
    """Run `mf` once for each of `commands`, on the published file, read-only. Raises SystemExit as it does."""
    where = PROJECT_DIR / "target" / MANIFEST  # the only place where mf looks
    where.parent.mkdir(exist_ok=True)
    shutil.copyfile(semantic_manifest(settings), where)
    os.environ[TARGET] = "published"
    os.environ["DBT_TARGET_PATH"] = str(settings.data / "mf")
    os.environ["DBT_LOG_PATH"] = str(settings.data / "mf" / "logs")
    from dbt_metricflow.cli import main

    main.UpdateChecker = _Nobody  # nothing phones home
    with contextlib.chdir(PROJECT_DIR):
        for command in commands:
            main.cli(list(command), standalone_mode=len(commands) == 1, prog_name="mf")


class _Nobody:
    """Knows of no newer version."""

    def check(self, *_: str) -> None:
        return None


if __name__ == "__main__":
    mf(Settings.from_env(), sys.argv[1:])
