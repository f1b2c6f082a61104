"""What people's names become in a masked publication; seeds/personal_columns.csv says which columns hold them.

`PUBLISH_PRIVACY=masked` publishes keyed hashes (HMAC-SHA-256) under the key `PUBLISH_PRIVACY_KEY`. One value has one
hash in all tables and all nights of a key, so tables still join; without the key nobody can try names out.
"""

import csv
import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.defs.landing.sql import ident
from orchestration.settings import PROJECT_DIR

PRIVACY, KEY = "PUBLISH_PRIVACY", "PUBLISH_PRIVACY_KEY"
SEED = PROJECT_DIR / "seeds" / "personal_columns.csv"
SHORTEST_KEY = 16  # characters
BLOCK = 64  # bytes of a block of SHA-256
HASH_LENGTH = 32  # of 64 hexadecimal digits; enough for any two names to differ
HIDDEN = "(masked)"
COMMON_FROM = 5  # rows that hold a value, from which it is a name of something and not of someone


class PrivacyError(Exception):
    """It was not said clearly what is to be published; the message says what to set."""


@dataclass(frozen=True)
class Privacy:
    """How a publication treats personal columns; `treatments` maps (table or *, column) to hash, hide or rare."""

    name: str
    key: bytes = b""
    treatments: tuple[tuple[tuple[str, str], str], ...] = ()

    @property
    def is_masked(self) -> bool:
        return self.name == "masked"

    @property
    def stamp(self) -> str:
        """What changes when the same tables would be published otherwise; tells nothing of the key."""
        return f"{self.name} {hmac.new(self.key, b'inflight', hashlib.sha256).hexdigest() if self.key else ''}"

    def prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        """Give `con` the key, as values: the text of a statement may appear in an error message."""
        key = hashlib.sha256(self.key).digest() if len(self.key) > BLOCK else self.key
        padded = key.ljust(BLOCK, b"\0")
        for name, pad in (("inflight_inner", 0x36), ("inflight_outer", 0x5C)):
            con.execute(f"set variable {name} = ?::blob", [bytes(byte ^ pad for byte in padded)])

    def columns(self, relation: str, table: str, names: list[str]) -> str:
        """The select list of a table: as it is, or masked."""
        treatments = dict(self.treatments)
        return ", ".join(
            self._column(name, treatments.get((table, name)) or treatments.get(("*", name)), relation) for name in names
        )

    def _column(self, name: str, treatment: str | None, relation: str) -> str:
        column = ident(name)
        if treatment == "hash":
            return f"{hash_sql(column)} as {column}"
        if treatment == "hide":
            return f"if({column} is null, null, '{HIDDEN}') as {column}"
        if treatment == "rare":
            rare = f"select {column} from {relation} group by {column} having count(*) < {COMMON_FROM}"
            return f"if({column} in ({rare}), '{HIDDEN}', {column}) as {column}"
        return column


OPEN = Privacy("open")


def hash_sql(value: str) -> str:
    """HMAC-SHA-256 of a text, null for null, after `prepare`."""
    inner = f"sha256(getvariable('inflight_inner') || encode({value}::varchar))"
    return f"left(sha256(getvariable('inflight_outer') || unhex({inner})), {HASH_LENGTH})"


def from_env(seed: Path = SEED) -> Privacy:
    """What the environment asks for. Raises PrivacyError rather than publish what was not meant."""
    name = os.environ.get(PRIVACY, "").strip() or OPEN.name
    if name == OPEN.name:
        return OPEN
    if name != "masked":
        raise PrivacyError(f"{PRIVACY} is {name!r}; it may be masked or open")
    key = os.environ.get(KEY, "")
    if len(key) < SHORTEST_KEY:
        raise PrivacyError(f"{PRIVACY}=masked needs a key of {SHORTEST_KEY} characters or more in {KEY}")
    with seed.open(newline="") as file:
        lines = [((line["table_name"], line["column_name"]), line["treatment"]) for line in csv.DictReader(file)]
    return Privacy(name, key.encode(), tuple(lines))
