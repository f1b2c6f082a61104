"""A night as of an earlier day: which files were there, and what is done about a CRM of which there was none.

What was extracted by then is landed as it was. A CRM whose first extract is later has its first extract landed instead,
dated back to the day; the canonical models then take back what came after it (macros/rewind.sql).
"""

from collections.abc import Iterable
from datetime import datetime

import duckdb

from orchestration.defs.landing.contract import Table
from orchestration.defs.landing.discovery import ExtractFile
from orchestration.defs.landing.sql import ident, literal


def known_by(files: Iterable[ExtractFile], moment: datetime | None) -> list[ExtractFile]:
    """The files taken by `moment`, and the first full extract of each entity of a CRM that has none; None: all."""
    files = list(files)
    if moment is None:
        return files
    taken = [file for file in files if file.extracted_at <= moment]
    extracted = {file.crm for file in taken}
    later = [file for file in files if file.crm not in extracted and file.table and not file.is_delta]
    first: dict[tuple[str, str], datetime] = {}
    for file in later:  # oldest first
        first.setdefault((file.crm, file.entity), file.extracted_at)
    return taken + [file for file in later if first[file.crm, file.entity] == file.extracted_at]


def date_back(con: duckdb.DuckDBPyConnection, contracts: Iterable[Table], moment: datetime) -> list[str]:
    """Date what was extracted after `moment` back to it, and note its CRMs as rewound; returns them."""
    at = literal(moment)
    con.execute("begin")
    con.execute(f"""
        insert into landing.rewound_crms
        select distinct crm from landing.files where status = 'landed' and extracted_at > {at} order by 1
    """)
    con.execute(f"update landing.files set extracted_at = {at} where extracted_at > {at}")
    for table in contracts:
        raw = ident(table.schema, table.name)
        con.execute(f"update {raw} set _extracted_at = {at} where _extracted_at > {at}")
    con.execute("commit")
    return [row[0] for row in con.execute("select distinct crm from landing.rewound_crms order by 1").fetchall()]
