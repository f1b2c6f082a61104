"""SQL text from identifiers that are quoted and values that are escaped, for the places that cannot bind."""

from collections.abc import Iterable
from datetime import datetime


def ident(*parts: str) -> str:
    """A quoted, possibly dotted identifier."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(value: str | int | float | datetime | None) -> str:
    """A value as a SQL literal."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


def listing(values: Iterable[str]) -> str:
    """Comma-separated SQL, one item a line."""
    return ",\n    ".join(values)


def json_pointer(name: str) -> str:
    """The path of one key, by RFC 6901, so that no character of its name means anything."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
