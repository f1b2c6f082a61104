"""The data folder of a night as of an earlier day: made anew each time, beside the tables that BI sees."""

import os
import shutil
from datetime import UTC, datetime, time
from pathlib import Path

from orchestration.lock import nightly_lock
from orchestration.settings import AS_OF, Settings


def moment_of(text: str) -> datetime:
    """A time in UTC, without its zone; a bare day means its end. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if len(text) <= len("2025-06-30"):
        return datetime.combine(moment, time.max)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def folder_as_of(settings: Settings, moment: datetime) -> Settings:
    """An empty folder that reads the extracts of `settings`, in force for this process.

    Raises Busy if another run is at work in it.
    """
    own = settings.at(moment)
    with nightly_lock(own):
        for path in own.data.iterdir():
            if path.name != "nightly.lock":
                _remove(path)
        own.extracts.symlink_to(os.path.relpath(settings.extracts, own.data))
        if settings.dbt_target.exists():  # the project is parsed already
            own.dbt_target.mkdir()
            for kept in settings.dbt_target.iterdir():
                if kept.is_file():
                    shutil.copyfile(kept, own.dbt_target / kept.name)
    os.environ[AS_OF] = moment.isoformat()
    own.export()
    return own


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
