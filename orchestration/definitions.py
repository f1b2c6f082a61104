"""The Dagster code location: everything under orchestration/defs."""

import dagster as dg

from orchestration.settings import PROJECT_DIR, Settings

Settings.from_env().export()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=PROJECT_DIR / "orchestration" / "defs")
