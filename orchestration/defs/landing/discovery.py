"""Which extract files there are, and what their names say: CRM, entity, extract time, full or delta.

extracts/<crm>/2026-06-30/deals.csv.gz                taken at the end of that day
extracts/<crm>/2026-06-30T0200/deals.delta.parquet    only what changed since the extract before
extracts/<crm>/deals_2026-06-30.part2.jsonl           the same, said in the file's name
extracts/<crm>/export_20260630.xlsx                   every sheet that is named after an entity
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration.defs.landing import workbook
from orchestration.defs.landing.contract import Table
from orchestration.defs.landing.names import closest, stems_of

SUFFIXES = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
    ".json": "json",
    ".json.gz": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
SAFE_NAME = re.compile(r"[\w .+=@,()-]+(/[\w .+=@,()-]+)*")
_DAY = r"(\d{4}-\d{2}-\d{2})(?:[T_](\d{2})[-:]?(\d{2})(?:[-:]?(\d{2}))?Z?)?"
_COMPACT_DAY = r"((?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:[T_-]?(\d{2})(\d{2})(\d{2})?Z?)?"
EXTRACT_TIME = re.compile(rf"(?<!\d)(?:{_DAY}|{_COMPACT_DAY})(?!\d)")
IGNORED = re.compile(r"(^|/)([._~]|README)|\.(tmp|part|crdownload)$")
CLOCKS_DIFFER = timedelta(days=1)  # an extract may be dated so far ahead of this machine's clock, not farther


@dataclass(frozen=True)
class ExtractFile:
    """One file under `extracts/`, or one sheet of it. `problem` says why it cannot be landed, if it cannot."""

    path: Path
    name: str  # relative to extracts/, as the ledger shows it; a sheet is path#sheet
    crm: str
    table: Table | None
    format: str
    is_delta: bool
    extracted_at: datetime  # UTC, naive, as DuckDB's TIMESTAMP
    size_bytes: int
    modified_ns: int
    problem: str | None = None
    sheet: str | None = None

    @property
    def entity(self) -> str:
        return self.table.name if self.table else Path(self.name).name

    def sha256(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def find_extracts(folder: Path, contracts: Iterable[Table], now: datetime | None = None) -> list[ExtractFile]:
    """All files below `folder`, oldest extract first, so that versions land in the order they were taken.

    `now` (UTC, naive) is the machine's clock, asked for nothing but to refuse extracts from the future.
    """
    by_crm: dict[str, dict[str, Table]] = {}
    for table in contracts:
        by_crm.setdefault(table.crm, {}).update(dict.fromkeys(table.stems, table))
    latest = (now or datetime.now(UTC).replace(tzinfo=None)) + CLOCKS_DIFFER
    files = [file for path in _files(folder) for file in _describe(folder, path, by_crm, latest)]
    return sorted(files, key=lambda file: (file.extracted_at, file.name))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*") if folder.exists() else ():
        if path.is_file() and not IGNORED.search(path.relative_to(folder).as_posix()):
            yield path


def _describe(folder: Path, path: Path, by_crm: dict[str, dict[str, Table]], latest: datetime) -> list[ExtractFile]:
    name = path.relative_to(folder).as_posix()
    crm = name.split("/")[0] if "/" in name else ""
    suffix = next((end for end in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(end)), None)
    stem = path.name[: -len(suffix)] if suffix else path.name
    stat = path.stat()
    file = ExtractFile(
        path=path,
        name=name,
        crm=crm,
        table=_entity(stem, by_crm.get(crm, {})),
        format=SUFFIXES.get(suffix or "", "unknown"),
        is_delta=".delta" in stem.lower(),
        extracted_at=_extract_time(name) or datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None),
        size_bytes=stat.st_size,
        modified_ns=stat.st_mtime_ns,
    )
    if problem := _problem(file, suffix, by_crm, latest):
        return [replace(file, problem=problem)]
    if file.format == "xlsx":
        return _sheets(file, by_crm[crm])
    return [file] if file.table else [replace(file, problem=_unknown_entity("file", stem, by_crm[crm]))]


def _sheets(file: ExtractFile, tables: dict[str, Table]) -> list[ExtractFile]:
    """A workbook's sheets: each that is named after an entity, or the only one, named by the file."""
    try:
        names = workbook.sheets(file.path)
    except workbook.Unreadable as error:
        return [replace(file, problem=str(error))]
    if len(names) == 1 and file.table:
        return [replace(file, sheet=names[0])]
    found = []
    for name in names:
        sheet = replace(file, name=f"{file.name}#{name}", sheet=name, table=_entity(name, tables))
        if not sheet.table:
            sheet = replace(sheet, problem=_unknown_entity("sheet", name, tables))
        elif not SAFE_NAME.fullmatch(name):
            sheet = replace(sheet, problem=UNSAFE_NAME.format("sheet"))
        found.append(sheet)
    return found


def _entity(stem: str, tables: dict[str, Table]) -> Table | None:
    return next((tables[key] for key in stems_of(stem) if key in tables), None)


def _extract_time(name: str) -> datetime | None:
    """The last time named in the path, file name before folder. A bare date means the end of that day."""
    for match in reversed(list(EXTRACT_TIME.finditer(name))):
        day, hour, minute, second = match.groups()[:4] if match[1] else match.groups()[4:]
        try:
            date = datetime.strptime(day.replace("-", ""), "%Y%m%d")
            if not hour:
                return date + timedelta(days=1, microseconds=-1)
            return date.replace(hour=int(hour), minute=int(minute), second=int(second or 0))
        except ValueError:
            continue
    return None


UNSAFE_NAME = "the {}'s name holds characters other than letters, digits, blanks and . _ - + = @ , ( )"


def _problem(file: ExtractFile, suffix: str | None, by_crm: dict, latest: datetime) -> str | None:
    if file.crm not in by_crm:
        near = closest(file.crm, by_crm)
        return f"no CRM is called '{file.crm}': put the file under extracts/<{'|'.join(sorted(by_crm))}>/" + (
            f"; did you mean {near}?" if near else ""
        )
    if suffix is None:
        return f"the ending is none of {', '.join(SUFFIXES)}"
    if not SAFE_NAME.fullmatch(file.name):
        return UNSAFE_NAME.format("file")
    if file.size_bytes == 0:
        return "the file is empty"
    if file.extracted_at > latest:
        return f"it is dated {file.extracted_at:%F %T}, which is still to come; correct the date in its name"
    return None


def _unknown_entity(what: str, stem: str, tables: dict[str, Table]) -> str:
    near = closest(stems_of(stem)[-1], tables)
    names = ", ".join(sorted({table.name for table in tables.values()}))
    return f"no entity is called '{stem}', the {what}'s name starts with none of {names}" + (
        f"; did you mean {tables[near].name}?" if near else ""
    )
