"""What an XLSX file says of itself, which DuckDB does not tell: its sheets, and where its days start to count."""

import re
import zipfile
import zlib
from html import unescape
from pathlib import Path

_WORKBOOK = "xl/workbook.xml"
_MAX_BYTES = 2**20  # of workbook.xml, which names sheets and nothing more
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*?\bname=(?:\"([^\"]*)\"|'([^']*)')")
_SINCE_1904 = re.compile(r"<(?:\w+:)?workbookPr\b[^>]*?\bdate1904=[\"'](?:1|true)[\"']")


class Unreadable(Exception):
    """The file is not a workbook, or not all of one."""


def sheets(path: Path) -> list[str]:
    """Names of the sheets, in their order."""
    return [unescape(one or other) for one, other in _SHEET.findall(_text(path))]


def counts_from_1904(path: Path) -> bool:
    """Whether day 0 is 1904-01-01, as in workbooks from old Macs, and not 1899-12-30."""
    return bool(_SINCE_1904.search(_text(path)))


def _text(path: Path) -> str:
    # No XML parser: what is asked for is two attributes, and a workbook may come from anywhere.
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_WORKBOOK) as file:
            return file.read(_MAX_BYTES).decode("utf-8", errors="replace")
    except (OSError, KeyError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise Unreadable(f"the file cannot be read to its end, it may have been cut: {error}") from error
