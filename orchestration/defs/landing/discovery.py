"""Which extract files there are, and what their names say: CRM, entity, extract time, full or delta.

extracts/<crm>/2026-06-30/deals.csv.gz                taken at the end of that day
extracts/<crm>/2026-06-30T0200/deals.delta.parquet    only what changed since the extract before
extracts/<crm>/deals_2026-06-30.part2.jsonl           the same, said in the file's name
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration.defs.landing.contract import Table

SUFFIXES = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
    ".parquet": "parquet",
}
SAFE_NAME = re.compile(r"[\w .+=@,()-]+(/[\w .+=@,()-]+)*")
EXTRACT_TIME = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?:[T_](\d{2})[-:]?(\d{2})(?:[-:]?(\d{2}))?Z?)?(?!\d)")
IGNORED = re.compile(r"(^|/)([._~]|README)|\.(tmp|part|crdownload)$")


@dataclass(frozen=True)
class ExtractFile:
    """One file under `extracts/`. `problem` says why it cannot be landed, if it cannot."""

    path: Path
    name: str  # relative to extracts/, as the ledger shows it
    crm: str
    table: Table | None
    format: str
    is_delta: bool
    extracted_at: datetime  # UTC, naive, as DuckDB's TIMESTAMP
    size_bytes: int
    modified_ns: int
    problem: str | None = None

    @property
    def entity(self) -> str:
        return self.table.name if self.table else Path(self.name).name

    def sha256(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def find_extracts(folder: Path, contracts: Iterable[Table]) -> list[ExtractFile]:
    """All files below `folder`, oldest extract first, so that versions land in the order they were taken."""
    by_crm: dict[str, dict[str, Table]] = {}
    for table in contracts:
        by_crm.setdefault(table.crm, {})[table.name] = table
    files = [_describe(folder, path, by_crm) for path in _files(folder)]
    return sorted(files, key=lambda file: (file.extracted_at, file.name))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*") if folder.exists() else ():
        if path.is_file() and not IGNORED.search(path.relative_to(folder).as_posix()):
            yield path


def _describe(folder: Path, path: Path, by_crm: dict[str, dict[str, Table]]) -> ExtractFile:
    name = path.relative_to(folder).as_posix()
    crm = name.split("/")[0] if "/" in name else ""
    suffix = next((end for end in sorted(SUFFIXES, key=len, reverse=True) if path.name.endswith(end)), None)
    stem = path.name.removesuffix(suffix or "")
    table = _entity(stem, by_crm.get(crm, {}))
    stat = path.stat()
    return ExtractFile(
        path=path,
        name=name,
        crm=crm,
        table=table,
        format=SUFFIXES.get(suffix or "", "unknown"),
        is_delta=".delta" in stem,
        extracted_at=_extract_time(name) or datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None),
        size_bytes=stat.st_size,
        modified_ns=stat.st_mtime_ns,
        problem=_problem(name, crm, suffix, table, stat.st_size, by_crm),
    )


def _entity(stem: str, tables: dict[str, Table]) -> Table | None:
    for name in sorted(tables, key=len, reverse=True):
        if re.fullmatch(rf"{re.escape(name)}(?:[-_.].*)?", stem, re.IGNORECASE):
            return tables[name]
    return None


def _extract_time(name: str) -> datetime | None:
    """The last time named in the path, file name before folder. A bare date means the end of that day."""
    for day, hour, minute, second in reversed(EXTRACT_TIME.findall(name)):
        try:
            date = datetime.strptime(day, "%Y-%m-%d")
            if not hour:
                return date + timedelta(days=1, microseconds=-1)
            return date.replace(hour=int(hour), minute=int(minute), second=int(second or 0))
        except ValueError:
            continue
    return None


def _problem(name, crm, suffix, table, size, by_crm) -> str | None:
    if crm not in by_crm:
        return f"no CRM is called '{crm}': put the file under extracts/<{'|'.join(sorted(by_crm))}>/"
    if suffix is None:
        return f"the ending is none of {', '.join(SUFFIXES)}"
    if table is None:
        return f"the file name starts with none of {', '.join(sorted(by_crm[crm]))}"
    if not SAFE_NAME.fullmatch(name):
        return "the file name holds characters other than letters, digits, blanks and . _ - + = @ , ( )"
    if size == 0:
        return "the file is empty"
    return None
