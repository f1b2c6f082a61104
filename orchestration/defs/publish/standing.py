"""Whether what is published still stands: a run on the same inputs would publish the same tables again.

The clock is data and no model asks for the time of day, so tables are made of what landed and of the project's code,
and published as the environment says of privacy, and of nothing else. Landing notes all three as it finds them,
publication signs the note, and while it holds there is nothing for a night to do.
"""

import hashlib
import json
from pathlib import Path

import duckdb

from orchestration.defs.publish import privacy
from orchestration.defs.publish.publish import Publication, current
from orchestration.defs.warehouse.project import PARSED, BuiltFrom, fingerprint
from orchestration.settings import Settings

JOB = (*PARSED, "orchestration/**/*.py", "requirements.lock")

# Files that are not ours are looked at anew each night, under a new load_id.
LEDGER = """
select case when status <> 'ignored' then load_id end, path, status, reason, sha256
from landing.files order by all
"""


class Standing:
    """Notes of one data folder: the inputs of tonight, and those of the publication that BI sees."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tonight = settings.warehouse.parent / "inputs"
        self.signed = settings.warehouse.parent / "published_from"

    def note(self, con: duckdb.DuckDBPyConnection) -> None:
        """Keep what tonight is made of; `con` is a connection to the warehouse after landing."""
        ledger = repr(con.execute(LEDGER).fetchall())
        inputs = f"{fingerprint(JOB)}\n{_privacy()}\n{ledger}"
        self.tonight.write_text(hashlib.sha256(inputs.encode()).hexdigest())

    def sign(self, publication: Publication) -> None:
        """What was published was made of what was noted."""
        fresh = self.signed.with_suffix(".new")
        fresh.write_text(json.dumps([self.tonight.read_text(), publication.publication_id]))
        fresh.replace(self.signed)

    def publication(self) -> Publication | None:
        """The publication that BI sees, if what was noted tonight would make it again; else None."""
        shown = current(self.settings)
        if shown is None or not self.settings.marts.exists() or not BuiltFrom(self.settings).is_current:
            return None
        return shown if _read(self.signed) == [self.tonight.read_text(), shown.publication_id] else None


def _privacy() -> str:
    """How it would be published; what cannot be published as it is said stands for no publication."""
    try:
        return privacy.from_env().stamp
    except privacy.PrivacyError as error:
        return str(error)


def _read(path: Path) -> list[str] | None:
    return json.loads(path.read_text()) if path.exists() else None
