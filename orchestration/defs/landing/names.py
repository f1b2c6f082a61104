"""When two names mean the same, and which name another one may be."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from typing import Protocol


class Named(Protocol):
    """A column as the contract knows it, with the names that files may give it besides."""

    name: str
    names: tuple[str, ...]


_HUMP = re.compile(r"(?<=[a-zа-яё0-9])(?=[A-ZА-ЯЁ])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN = re.compile(r"[\W_]+")
# What may follow the stem in a file's name: a date, a part's number, or anything after a dot or two underscores.
_AFTER_STEM = re.compile(
    r"\.|__|[-_ ]*(?<!\d)\d{4}-?\d{2}-?\d{2}|[-_ ]*\(\d+\)$|[-_ ](part|page)?[-_ ]*\d+$", re.IGNORECASE
)


def snake(name: str) -> str:
    """CreatedDate, CREATED_DATE, "Created Date" and created-date are all created_date."""
    humps = _HUMP.sub("_", unicodedata.normalize("NFKC", name))
    return _BETWEEN.sub("_", humps).strip("_").lower()


def stem_key(stem: str) -> str:
    """A stem of a file's name, in the form in which stems are compared."""
    return re.sub(r"[-. _]+", "_", stem).strip("_").lower()


def stems_of(file_stem: str) -> list[str]:
    """The stems that a file's name may mean, longest first: `crm.deal.list_2026-06-30` may be crm_deal_list, crm."""
    ends = {match.start() for match in _AFTER_STEM.finditer(file_stem)} | {len(file_stem)}
    stems = [file_stem[:end] for end in sorted(ends, reverse=True)]
    return list(dict.fromkeys(form(stem) for stem in stems for form in (stem_key, snake)))


class TwoNames(Exception):
    """Two names of a file are one column; the message says which."""


def match(columns: Iterable[Named], names: list[str]) -> dict[str, str]:
    """Which name of a file is which column: the very name first, then its form, then those the contract lists."""
    matched: dict[str, str] = {}
    lowered = {name.lower(): name for name in names}
    forms: dict[str, list[str]] = {}
    for name in names:
        forms.setdefault(snake(name), []).append(name)
    for column in columns:
        if column.name.lower() in lowered:
            matched[column.name] = lowered[column.name.lower()]
    for column in columns:
        for name in (column.name, *column.names):
            free = [each for each in forms.get(snake(name), []) if each not in matched.values()]
            if column.name not in matched and free:
                if len(free) > 1:
                    raise TwoNames(f"{' and '.join(free)} are both {column.name}")
                matched[column.name] = free[0]
    return matched


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, if any is."""
    by_key = {snake(each): each for each in known}
    found = difflib.get_close_matches(snake(name), by_key, 1, cutoff=0.6)
    return by_key[found[0]] if found else None


def likeness(one: str, other: str) -> float:
    """How alike two names are, 0 to 1: by their letters, or by the words they share."""
    one, other = snake(one), snake(other)
    words, others = set(one.split("_")), set(other.split("_"))
    return max(difflib.SequenceMatcher(None, one, other).ratio(), len(words & others) / len(words | others))
