"""Rows that were set aside, held against the contract as it is by now: those that fit it land."""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from orchestration.defs.landing import ledger
from orchestration.defs.landing.contract import Table
from orchestration.defs.landing.discovery import ExtractFile, find_extracts
from orchestration.defs.landing.land import look_again_at_later_files
from orchestration.defs.landing.ledger import Outcome, row_hash
from orchestration.defs.landing.load import CONFLICT, STAGE, first_fault, move_new_versions, raw_columns, typed_rows
from orchestration.defs.landing.names import TwoNames
from orchestration.defs.landing.readers import json_relation
from orchestration.defs.landing.sql import ident, literal
from orchestration.defs.landing.values import PLAIN
from orchestration.settings import Settings

JUDGED = "landing_judged"


@dataclass(frozen=True)
class Retried:
    """What became of the rows that one load had set aside; `rows_repeated` were known already, word for word."""

    path: str
    rows_landed: int
    rows_repeated: int
    rows_left: int
    reason: str | None = None


def retry(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    contracts: tuple[Table, ...],
    say: Callable[[str], None] = lambda _: None,
) -> list[Retried]:
    """Judge every row anew that an accepted load set aside, one transaction a load, oldest extract first.

    What is pending is judged afresh by the next night anyway. A line that did not split into columns stays aside:
    only its file can tell.
    """
    ledger.prepare(con, contracts)
    tables = {table.asset_key: table for table in contracts}
    files = find_extracts(settings.extracts, contracts)
    done = []
    for load_id, crm, entity in ledger.loads_with_rejects(con):
        if table := tables.get((crm, entity)):
            con.execute("begin")
            try:
                retried = _retry_load(con, load_id, table, files)
                con.execute("commit")
            except BaseException:
                con.execute("rollback")
                raise
            done.append(retried)
            left = f", {retried.rows_left:,} stay aside" if retried.rows_left else ""
            say(f"{retried.path}: {retried.rows_landed + retried.rows_repeated:,} rows landed{left}")
    return done


def _retry_load(con, load_id: int, table: Table, files: list[ExtractFile]) -> Retried:
    file, notation = _file_of(con, load_id, table)
    rows = f"""(
        select rowid as reject_id, raw_text as object, line as place
        from landing.rejects where load_id = {load_id} and is_row and reason <> {literal(CONFLICT)}
    )"""
    names = con.execute(f"select distinct unnest(json_keys(object)) as name from {rows} order by 1").fetchall()
    before = con.execute("select count(*) from landing.rejects where load_id = ?", [load_id]).fetchone()[0]
    try:
        relation = json_relation(file, [name for (name,) in names], rows, raw_text="object", source=notation)
    except TwoNames as error:
        return Retried(file.name, 0, 0, before, str(error))

    new_id = ledger.next_load_id(con)
    _judge(con, file, relation, load_id)
    raw = ident(table.schema, table.name)
    con.execute(f"create or replace temp table {STAGE} as select * from {raw} limit 0")
    con.execute(f"""
        insert into {STAGE} ({raw_columns(table)})
        select {", ".join(ident(column.name) for column in table.columns)},
            _extra, {new_id}, {literal(file.extracted_at)}, null, null, _row_hash
        from {JUDGED} where verdict = 'lands'
    """)
    repeated = move_new_versions(con, raw, file, new_id)
    landed = con.execute(f"select count(*) from {raw} where _load_id = ?", [new_id]).fetchone()[0]
    # Unlike a delivery: a repeat of a row that landed with the file itself, and one row of several that are the same.
    repeated += con.execute(f"select count(*) from {JUDGED} where verdict = 'repeats'").fetchone()[0]
    con.execute(f"delete from landing.rejects where rowid in (select reject_id from {JUDGED} where verdict <> 'stays')")
    con.execute(f"""
        update landing.rejects as rejects set column_name = judged.column_name, value = judged.value,
            reason = judged.reason
        from {JUDGED} as judged where rejects.rowid = judged.reject_id and judged.verdict = 'stays'
    """)
    con.execute(
        """
        update landing.files set rows_landed = rows_landed + $1, rows_repeated = rows_repeated + $2,
            rows_set_aside = rows_set_aside - $1 - $2
        where load_id = $3
        """,
        [landed, repeated, load_id],
    )
    reason = None
    if landed:
        reason = look_again_at_later_files(con, file, new_id, files)
        said = f"{landed} rows landed that load {load_id} had set aside" + (f"; {reason}" if reason else "")
        Outcome(new_id, file, status="retried", reason=said).write(con)
        con.execute("update landing.files set is_accepted = true where load_id = ?", [new_id])
    return Retried(file.name, landed, repeated, before - landed - repeated, reason)


def _file_of(con, load_id: int, table: Table) -> tuple[ExtractFile, str]:
    """The file as the ledger knows it; it need not be there any more."""
    row = con.execute(
        """
        select path, format, is_delta, extracted_at, size_bytes, modified_ns, notation
        from landing.files where load_id = ?
        """,
        [load_id],
    ).fetchone()
    path, form, is_delta, extracted_at, size_bytes, modified_ns, notation = row
    file = ExtractFile(None, path, table.crm, table, form, is_delta, extracted_at, size_bytes, modified_ns)
    return file, notation or PLAIN


def _judge(con, file: ExtractFile, relation, load_id: int) -> None:
    """Table JUDGED: every row with its verdict. Of one key the newest row lands, if none as new has landed.

    Rows that had to give way to a newer one of their key are not among them: no contract mends that.
    """
    table = file.table
    raw = ident(table.schema, table.name)
    keys = [*map(ident, table.key)] or ["_row_hash"]
    key = ", ".join(keys)
    latest = f"{{}}.{ident(table.latest_by)}" if table.latest_by else "null::integer"
    is_newer = f"{latest.format('ranked')} > {latest.format('landed')}"
    is_older = f"{latest.format('ranked')} < {latest.format('landed')}"
    at = literal(file.extracted_at)
    same_key = " and ".join(f"ranked.{name} = landed.{name}" for name in keys)
    con.execute(f"""
        create or replace temp table {JUDGED} as
        with rows as ({typed_rows(file, relation, relation.sql, "reject_id", "place")}),
        hashed as (
            select
                *,
                {first_fault(file, relation, "{column}")} as column_name,
                {first_fault(file, relation, "{value}")} as value,
                {first_fault(file, relation, "{reason}")} as fault,
                {row_hash(table)} as _row_hash
            from rows
        ),
        ranked as (
            select
                *,
                first_value(_row_hash) over newest_first as newest_hash,
                row_number() over (partition by fault is null, {key}, _row_hash order by place, reject_id) as copy
            from hashed
            window newest_first as (
                partition by fault is null, {key}
                order by {latest.format("hashed")} desc nulls last, place desc, reject_id desc
            )
        ),
        landed as (
            select * from {raw}
            where _extracted_at <= {at} and (_superseded_at is null or _superseded_at > {at})
        ),
        known as (
            select
                ranked.reject_id,
                bool_or(landed._row_hash = ranked._row_hash) as is_known,
                -- Of one moment only a newer row lands; of an earlier one, none that is known to be older.
                bool_or(
                    case when landed._extracted_at = {at} then {is_newer} is not true else {is_older} end
                ) as is_older
            from ranked inner join landed on {same_key}
            group by ranked.reject_id
        )
        select
            ranked.*,
            case
                when fault is not null then 'stays'
                when ranked._row_hash <> newest_hash then 'stays'
                when copy > 1 or coalesce(is_known, false) then 'repeats'
                when coalesce(is_older, false) then 'stays'
                else 'lands'
            end as verdict,
            coalesce(fault, {literal(CONFLICT)}) as reason
        from ranked left join known on ranked.reject_id = known.reject_id
    """)
