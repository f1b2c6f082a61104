"""Land what is new under extracts/: one transaction a file, so that a kill leaves whole files or nothing."""

from collections.abc import Callable
from contextlib import contextmanager

import duckdb

from orchestration.defs.landing import ledger
from orchestration.defs.landing.as_of import known_by
from orchestration.defs.landing.contract import Table, load_contracts
from orchestration.defs.landing.discovery import ExtractFile, find_extracts
from orchestration.defs.landing.ledger import Outcome
from orchestration.defs.landing.load import load_file, look_again, mark_superseded
from orchestration.defs.landing.names import TwoNames
from orchestration.defs.landing.readers import remove_copies
from orchestration.defs.landing.sql import ident, literal
from orchestration.defs.landing.texts import Refused
from orchestration.lock import connect
from orchestration.settings import Settings


@contextmanager
def open_warehouse(settings: Settings, say: Callable[[str], None] = lambda _: None):
    """A connection to the working file, for writing; waits while another process writes to it."""
    con = connect(settings.warehouse, say)
    try:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"set memory_limit = {literal(settings.landing_memory)}")
        con.execute(f"set temp_directory = {literal(str(settings.warehouse.parent / 'tmp'))}")
        yield con
    finally:
        con.close()


def land(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    contracts: tuple[Table, ...] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Land every file that is new or was refused before; returns one outcome a file, oldest first."""
    contracts = contracts or load_contracts()
    take_back_pending(con, contracts)
    remove_copies(con)
    known = ledger.known_files(con)
    files = known_by(find_extracts(settings.extracts, contracts), settings.as_of)
    new = [file for file in files if (file.name, file.size_bytes, file.modified_ns) not in known]
    outcomes = []
    for number, file in enumerate(new, start=1):
        outcome = _land_one(con, file, files)
        outcomes.append(outcome)
        say(f"{number}/{len(new)} {file.name}: {_in_words(outcome)}")
    return outcomes


def _land_one(con: duckdb.DuckDBPyConnection, file: ExtractFile, files: list[ExtractFile]) -> Outcome:
    outcome = Outcome(load_id=ledger.next_load_id(con), file=file)
    if file.table is None or file.problem:
        outcome.status = "refused" if file.table else "ignored"
        outcome.reason = file.problem
        outcome.write(con)
        return outcome
    outcome.sha256 = file.sha256()
    con.execute("begin")
    try:
        load_file(con, file, outcome)
        if outcome.rows_landed:
            outcome.reason = look_again_at_later_files(con, file, outcome.load_id, files)
        twin = ledger.twin(con, file.crm, file.entity, outcome.sha256)
        if twin and not outcome.rows_landed:
            outcome.status, outcome.reason = "repeated", f"the same content landed as {twin}"
        outcome.write(con)
        con.execute("commit")
    except (duckdb.OutOfMemoryException, duckdb.FatalException):
        raise  # not the file's fault; the connection's end takes the transaction back
    except (Refused, TwoNames, duckdb.Error) as error:
        con.execute("rollback")
        outcome = Outcome(outcome.load_id, file, outcome.sha256, status="refused", reason=_reason(file, error))
        outcome.write(con)
    except BaseException:
        con.execute("rollback")
        raise
    return outcome


def look_again_at_later_files(
    con: duckdb.DuckDBPyConnection, file: ExtractFile, load_id: int, files: list[ExtractFile]
) -> str | None:
    """Where files that were taken after `file` landed before it, see whether they still show what it shows.

    Up to the next full extract, which shows everything. Returns what to say of those that are gone.
    """
    later = ledger.later_files(con, file) if file.table.key else []
    here = {(each.name, each.size_bytes, each.modified_ns): each for each in files}
    gone = []
    for path, size_bytes, modified_ns in later:
        if found := here.get((path, size_bytes, modified_ns)):
            look_again(con, found, file, load_id)
        else:
            gone.append(path)
    if not gone:
        return None
    return (
        f"it is older than {', '.join(gone)}, which cannot be read again: what it changed stays until it changes again"
    )


def take_back_pending(con: duckdb.DuckDBPyConnection, contracts: tuple[Table, ...]) -> list[int]:
    """Undo loads that gate 1 never accepted, and forget refused files, so that both are judged afresh.

    Returns the loads that were undone.
    """
    ledger.prepare(con, contracts)
    con.execute("begin")
    pending = con.execute(
        "select load_id, crm, entity from landing.files where not is_accepted and status = 'landed'"
    ).fetchall()
    for load_id, crm, entity in pending:
        table = next((table for table in contracts if table.asset_key == (crm, entity)), None)
        if table is None:
            continue
        raw = ident(table.schema, table.name)
        con.execute(
            f"create or replace temp table landing_taken_back as select * from {raw} where _load_id = {load_id}"
        )
        con.execute(f"delete from {raw} where _load_id = {load_id}")
        mark_superseded(con, raw, table, "landing_taken_back", load_id)
    for name in ("rejects", "profiles", "value_counts"):
        con.execute(
            f"delete from landing.{name} where load_id in (select load_id from landing.files where not is_accepted)"
        )
    con.execute("delete from landing.files where not is_accepted or status = 'ignored'")
    con.execute("commit")
    return [load_id for load_id, _, _ in pending]


def _reason(file: ExtractFile, error: Exception) -> str:
    if isinstance(error, Refused | TwoNames):
        return str(error)
    text = str(error).replace(str(file.path), file.name).splitlines()[0]
    return f"the file cannot be read to its end, it may have been cut or be of another format: {text}"


def _in_words(outcome: Outcome) -> str:
    if outcome.status != "landed":
        return f"{outcome.status}, {outcome.reason}"
    parts = [f"{outcome.rows_landed:,} rows landed"]
    if outcome.rows_set_aside:
        parts.append(f"{outcome.rows_set_aside:,} set aside")
    if outcome.rows_repeated:
        parts.append(f"{outcome.rows_repeated:,} already known")
    return ", ".join(parts)
