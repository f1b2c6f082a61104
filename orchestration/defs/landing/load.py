"""One file into raw, inside the caller's transaction. All reading, checking and comparing is SQL."""

import duckdb

from orchestration.defs.landing.contract import Column, Table
from orchestration.defs.landing.discovery import ExtractFile
from orchestration.defs.landing.ledger import META_COLUMNS, Outcome, row_hash
from orchestration.defs.landing.readers import BAD_LINES, Relation, open_relation
from orchestration.defs.landing.renamed import may_be_now
from orchestration.defs.landing.sql import ident, listing, literal
from orchestration.defs.landing.texts import Refused
from orchestration.defs.landing.values import JSON, Value, read_text, read_typed, without_null_words

STAGE = "landing_stage"
CONFLICTS = "landing_conflicts"
ROWS_AT_ONCE = 4_000_000  # that a comparison holds in memory
UNREADABLE = "not a JSON object"
CONFLICT = "another row of this file has the same key and other values; the newer one landed"


def load_file(con: duckdb.DuckDBPyConnection, file: ExtractFile, outcome: Outcome) -> None:
    """Land `file` and fill in `outcome`; raises Refused where the file as a whole must not land."""
    with open_relation(con, file) as relation:
        outcome.encoding = relation.text and relation.text.encoding
        outcome.delimiter = relation.delimiter
        outcome.notation = relation.source
        outcome.extra_columns = sorted(relation.extra)
        outcome.missing_columns = list(relation.missing)
        renamed = may_be_now(con, file.table, relation)
        outcome.may_be_now = [f"{column}: {name}" for column, name in renamed.items()]
        _refuse_if_a_required_column_is_missing(con, file, relation, renamed)
        _load(con, file, relation, outcome)


def look_again(con: duckdb.DuckDBPyConnection, file: ExtractFile, late: ExtractFile, load_id: int) -> None:
    """Read again a file that was taken after `late` but landed before it.

    A row of it that said nothing new is not in raw. If `late` brings another value of its key, it does say
    something: that the value was back by then. Such rows land as part of the late load.
    """
    raw = ident(late.table.schema, late.table.name)
    con.execute(f"create or replace temp table {STAGE} as select * from {raw} limit 0")
    with open_relation(con, file) as relation:
        _insert(con, STAGE, file, relation, load_id)
        _settle_duplicates(con, STAGE, file, relation, load_id)
    con.execute(f"""
        create or replace temp table landing_late as
        select * from {raw} where _load_id = {load_id} and _extracted_at = {literal(late.extracted_at)}
    """)
    con.execute(f"""
        delete from {STAGE} as stage where _row_hash is null
        or not exists (select 1 from landing_late as late where {_same_key(late.table, "late", "stage")})
    """)
    move_new_versions(con, raw, file, load_id)


def _refuse_if_a_required_column_is_missing(con, file: ExtractFile, relation: Relation, renamed: dict) -> None:
    missing = [name for name in file.table.required if name in relation.missing]
    has_rows = f"select exists (from {relation.sql})"
    if not missing or (relation.source == JSON and not con.execute(has_rows).fetchone()[0]):
        return  # a page without rows names no columns
    may_be = [f"; {column} may be called {name} now" for column, name in renamed.items() if column in missing]
    found = ", ".join(relation.names) or "no columns"
    raise Refused(f"column {', '.join(missing)} is missing; the file has {found}{''.join(may_be)}")


def _load(con, file: ExtractFile, relation: Relation, outcome: Outcome) -> None:
    raw = ident(file.table.schema, file.table.name)
    is_first = con.execute(f"select count(*) from (select 1 from {raw} limit 1)").fetchone()[0] == 0
    # The first file of an entity has nothing to be compared with and is written once, straight into raw.
    target = raw if is_first else STAGE
    if not is_first:
        con.execute(f"create or replace temp table {STAGE} as select * from {raw} limit 0")

    read = _insert(con, target, file, relation, outcome.load_id)
    bad_lines = _count_bad_lines(con, file)
    _refuse_if_cut(con, target, file, relation, bad_lines)
    repeated = _settle_duplicates(con, target, file, relation, outcome.load_id)
    set_aside = _set_aside(con, target, file, relation, outcome.load_id)
    _profile(con, target, file, outcome.load_id)
    if not is_first:
        repeated += move_new_versions(con, raw, file, outcome.load_id)

    outcome.rows_in_file = read + bad_lines
    outcome.rows_repeated = repeated
    outcome.rows_set_aside = set_aside
    outcome.rows_landed = con.execute(f"select count(*) from {raw} where _load_id = ?", [outcome.load_id]).fetchone()[0]
    _check(con, file, outcome)


def _insert(con, target: str, file: ExtractFile, relation: Relation, load_id: int) -> int:
    """Write every row that splits into columns; a row that breaks the contract has no hash. Returns rows."""
    names = listing(ident(column.name) for column in file.table.columns)
    return con.execute(f"""
        insert into {target} ({names}, {", ".join(META_COLUMNS)})
        select
            {names},
            _extra, {load_id}, {literal(file.extracted_at)}, null, null,
            case when {first_fault(file, relation)} is null then {row_hash(file.table)} end
        from ({typed_rows(file, relation, relation.sql_strict)})
    """).fetchone()[0]


def typed_rows(file: ExtractFile, relation: Relation, source: str, *also: str) -> str:
    """SELECT of typed contract columns beside the values as read (`raw_<column>`), and `_extra` as JSON."""
    read, typed = [], []
    for column in file.table.columns:
        name, raw = ident(column.name), ident("raw_" + column.name)
        expression, read_as = relation.columns.get(column.name, ("null::varchar", "varchar"))
        if read_as != "varchar":
            read.append(f"{expression} as {ident('read_' + column.name)}")
        read.append(f"{without_null_words(column, f'({expression})::varchar')} as {raw}")
        typed += [f"{_value(column, relation).sql} as {name}", raw]
        if read_as != "varchar":
            typed.append(ident("read_" + column.name))
    extra = ", ".join(f"{ident(name)} := {expression}" for name, expression in relation.extra.items())
    # A null says no more than a column that is not there, and files of one entity differ in such columns.
    extra = (
        f"nullif(json_merge_patch('{{}}', to_json(struct_pack({extra})))::varchar, '{{}}')"
        if extra
        else "null::varchar"
    )
    rows = (
        f"select {listing([*also, *read, f'{extra} as _extra', f'{relation.unreadable} as _unreadable'])} from {source}"
    )
    aliases = [each.rsplit(" as ", 1)[-1] for each in also]
    return f"select {listing([*aliases, *typed, '_extra', '_unreadable'])} from ({rows})"


def _value(column: Column, relation: Relation) -> Value:
    """How the column is read, and what may be wrong with it."""
    _, read_as = relation.columns.get(column.name, (None, "varchar"))
    raw = ident("raw_" + column.name)
    if read_as == "varchar":
        return read_text(column, raw, relation.source)
    return read_typed(column, ident("read_" + column.name), read_as, raw)


def first_fault(file: ExtractFile, relation: Relation, result: str = "true") -> str:
    """CASE over every rule of the contract, null for a good row; `result` may use {column}, {value}, {reason}."""
    whens = [f"when _unreadable then {result.format(column='null', value='null', reason=literal(UNREADABLE))}"]
    for column in file.table.columns:
        if column.name not in relation.columns and not column.required:
            continue
        value = ident("raw_" + column.name)
        for condition, reason in _faults(file, column, relation):
            then = result.format(column=literal(column.name), value=value, reason=literal(reason))
            whens.append(f"when {condition} then {then}")
    return f"case {' '.join(whens)} end"


def _faults(file: ExtractFile, column: Column, relation: Relation):
    """(condition that breaks the contract, reason) for one column."""
    typed = ident(column.name)
    _, read_as = relation.columns.get(column.name, (None, "varchar"))
    if column.required:
        # What comes typed is not written out as text only to see that it is there.
        yield f"{ident(('raw_' if read_as == 'varchar' else 'read_') + column.name)} is null", "a value is required"
    yield from _value(column, relation).faults
    if column.accepted_values:
        accepted = ", ".join(literal(value) for value in column.accepted_values)
        yield f"{typed} not in ({accepted})", f"not one of {', '.join(column.accepted_values)}"
    if column.is_event_time:
        yield (
            f"{typed} > {literal(file.extracted_at)}",
            f"dated after its extract ({file.extracted_at:%F %T})",
        )


def _count_bad_lines(con, file: ExtractFile) -> int:
    """Lines of a CSV that do not split into the header's columns."""
    if file.format != "csv":
        return 0
    return con.execute(f"select count(distinct line) from {BAD_LINES}").fetchone()[0]


def _refuse_if_cut(con, target: str, file: ExtractFile, relation: Relation, bad_lines: int) -> None:
    """A file whose very last line is broken ended too early: nobody knows what else it should have held."""
    if file.format == "csv" and bad_lines:
        (broken,) = con.execute(f"select arg_max(csv_line, line) from {BAD_LINES}").fetchone()
        tail = relation.text.last_line()
        is_cut = bool(tail) and broken.rstrip("\r\n").endswith(tail)
    elif file.format == "jsonl":
        unhashed = f"select 1 from {target} where _row_hash is null limit 1"
        tail = relation.text.last_line() if con.execute(unhashed).fetchone() else "{}"
        is_cut = not con.execute("select json_valid(?)", [tail]).fetchone()[0]
    else:
        return
    if is_cut:
        raise Refused(f"the last line is incomplete, the file has been cut: {tail[:200]!r}")


def _settle_duplicates(con, target: str, file: ExtractFile, relation: Relation, load_id: int) -> int:
    """Within one file: drop identical repeats, and unmark (to be set aside) all but the newest row of a key.

    Returns the identical repeats. The hashes of rows that lost against a newer one are kept in CONFLICTS.
    """
    con.execute(f"create or replace temp table {CONFLICTS} (_row_hash ubigint)")
    if _keys_differ_in_file(con, file, relation):
        return 0
    good = f"_load_id = {load_id} and _row_hash is not null"
    key = f"hash({', '.join(map(ident, file.table.key))})" if file.table.key else "_row_hash"
    rows, keys = con.execute(f"select count(*), count(distinct {key}) from {target} where {good}").fetchone()
    if rows == keys:
        return 0
    newest = f"{ident(file.table.latest_by)} desc nulls last, rowid desc" if file.table.latest_by else "rowid desc"
    con.execute(f"""
        create or replace temp table landing_duplicates as
        select *, row_number() over (partition by _key, _row_hash order by _rowid) as _copy
        from (
            select
                rowid as _rowid, {key} as _key, _row_hash,
                first_value(_row_hash) over (partition by {key} order by {newest}) as _newest_hash,
                count(*) over (partition by {key}) as _rows
            from {target} where {good}
        ) where _rows > 1
    """)
    con.execute(f"""
        insert into {CONFLICTS}
        select distinct _row_hash from landing_duplicates where _row_hash <> _newest_hash
    """)
    repeated = con.execute(f"""
        delete from {target} where rowid in (select _rowid from landing_duplicates where _copy > 1)
    """).fetchone()[0]
    con.execute(f"""
        update {target} set _row_hash = null
        where rowid in (select _rowid from landing_duplicates where _row_hash <> _newest_hash)
    """)
    return repeated


def _keys_differ_in_file(con, file: ExtractFile, relation: Relation) -> bool:
    """Whether a Parquet file proves by its key columns alone that no key stands in it twice: half the cost."""
    if file.format != "parquet" or not file.table.key:
        return False
    key = ", ".join(relation.columns[name][0] for name in file.table.key)
    rows, keys = con.execute(f"select count(*), count(distinct hash({key})) from {relation.sql}").fetchone()
    return rows == keys


def _set_aside(con, target: str, file: ExtractFile, relation: Relation, load_id: int) -> int:
    """Move rows without a hash into landing.rejects, with the line and the text they had in the file."""
    unhashed = f"_load_id = {load_id} and _row_hash is null"
    bad_rows = con.execute(f"select count(*) from {target} where {unhashed}").fetchone()[0]
    about = f"{load_id}, {literal(file.crm)}, {literal(file.entity)}, {literal(file.name)}"
    if file.format == "csv":
        con.execute(f"""
            insert into landing.rejects
            select distinct on (line)
                {about}, line, {_name_of_bad_column(relation)}, null, error_message, csv_line, false
            from {BAD_LINES} order by line, column_idx
        """)
    if bad_rows:
        con.execute(f"insert into landing.rejects {_find_rejects(file, relation, about)}")
        con.execute(f"delete from {target} where {unhashed}")
    return con.execute("select count(*) from landing.rejects where load_id = ?", [load_id]).fetchone()[0]


def _name_of_bad_column(relation: Relation) -> str:
    """The reader knows columns by number: f0, f1, ..."""
    known = {name: column for column, name in relation.found_as.items()}
    names = ", ".join(literal(known.get(name, name)) for name in relation.names)
    return f"[{names}][try_cast(column_name[2:] as bigint) + 1]"


def _find_rejects(file: ExtractFile, relation: Relation, about: str) -> str:
    """A second look at a file that is known to hold bad rows, in file order, to say where they stand."""
    source = f"(select *, {relation.place} as _n from {relation.sql})"
    return f"""
        with rows as ({typed_rows(file, relation, source, "_n", f"{relation.raw_text} as _line")}),
        judged as (
            select
                {first_fault(file, relation, "{column}")} as column_name,
                {first_fault(file, relation, "{value}")} as value,
                {first_fault(file, relation, "{reason}")} as reason,
                {row_hash(file.table)} as row_hash,
                _line as raw_text,
                not _unreadable as is_row,
                _n + {relation.first_line - 1} as place
            from rows
        ),
        found as (
            select *, row_number() over (partition by row_hash order by place) as copy
            from judged
            where reason is not null or row_hash in (select _row_hash from {CONFLICTS})
        )
        select
            {about}, place + {_bad_lines_before(file)}, column_name, value,
            coalesce(reason, {literal(CONFLICT)}), raw_text, is_row
        from found where reason is not null or copy = 1
    """


def _bad_lines_before(file: ExtractFile) -> str:
    """Records of a CSV that could not be split and so are not among those counted by `n`."""
    if file.format != "csv":
        return "0"
    return f"""(
        select count(*) from (
            select line - row_number() over (order by line) + 1 as place_among_good
            from (select distinct line from {BAD_LINES})
        ) where place_among_good <= found.place
    )"""


def _profile(con, target: str, file: ExtractFile, load_id: int) -> None:
    """What gate 1 compares over the nights: non-null rows of every column, counts of the watched values."""
    names = [column.name for column in file.table.columns]
    con.execute(f"""
        insert into landing.profiles
        select
            {load_id},
            unnest([{", ".join(literal(name) for name in names)}]),
            count(*),
            unnest([{", ".join(f"count({ident(name)})" for name in names)}])
        from {target} where _load_id = {load_id}
    """)
    for column in file.table.columns:
        if column.watch_values:
            con.execute(f"""
                insert into landing.value_counts
                select {load_id}, {literal(column.name)}, {ident(column.name)}::varchar, count(*)
                from {target} where _load_id = {load_id} group by 3
            """)


def _same_key(table: Table, left: str, right: str) -> str:
    """Join condition on the key. Rows without one are compared by hash, and by what must be there."""
    columns = table.key or ("_row_hash", *table.required)
    return " and ".join(f"{left}.{ident(name)} = {right}.{ident(name)}" for name in columns)


def raw_columns(table: Table) -> str:
    return listing(ident(name) for name in [*(column.name for column in table.columns), *META_COLUMNS])


def _shares(con, hashed: str, *tables: str) -> list[str]:
    """Conditions that split the rows of `tables` into shares of a size that does not grow with them."""
    most = max(con.execute(f"select count(*) from {table}").fetchone()[0] for table in tables)
    number = 1 + most // ROWS_AT_ONCE
    return [f"{hashed} % {number} = {share}" for share in range(number)]


def move_new_versions(con, raw: str, file: ExtractFile, load_id: int) -> int:
    """Move from the stage into raw what says something new at its extract time. Returns identical repeats."""
    columns = raw_columns(file.table)
    at = literal(file.extracted_at)
    con.execute("create or replace temp table landing_new (_rowid bigint)")
    for share in _shares(con, "_row_hash", raw, STAGE):
        # Against the version in force when this file was extracted; a file may arrive later than its successors.
        con.execute(f"""
            insert into landing_new
            select stage.rowid from {STAGE} as stage
            where {share} and not exists (
                select 1 from (select * from {raw} where {share}) as raw
                where {_same_key(file.table, "stage", "raw")} and stage._row_hash = raw._row_hash
                    and raw._extracted_at <= {at} and (raw._superseded_at is null or raw._superseded_at > {at})
            )
        """)
    rows = con.execute(f"select count(*) from {STAGE}").fetchone()[0]
    moved = con.execute(f"""
        insert into {raw} ({columns}) select {columns} from {STAGE} where rowid in (select _rowid from landing_new)
    """).fetchone()[0]
    moved_now = f"(select * from {raw} where _load_id = {load_id} and _extracted_at = {at})"
    mark_superseded(con, raw, file.table, moved_now, load_id)
    return rows - moved


def mark_superseded(con, raw: str, table: Table, touched: str, load_id: int) -> None:
    """Set, for every key in `touched`, when each of its versions was followed by the next."""
    key = listing(ident(name) for name in table.key or ("_row_hash", *table.required))
    for share in _shares(con, f"hash({key})", touched):
        con.execute(f"""
            create or replace temp table landing_followed as
            select raw_rowid, superseded_at
            from (
                select
                    raw.rowid as raw_rowid, raw._superseded_at as known_superseded_at,
                    lead(raw._extracted_at) over (partition by {key} order by raw._extracted_at, raw._load_id)
                        as superseded_at
                from {raw} as raw
                where {share} and exists (
                    select 1 from (select * from {touched} where {share}) as touched
                    where {_same_key(table, "touched", "raw")}
                )
            )
            where superseded_at is distinct from known_superseded_at
        """)
        con.execute(f"""
            update {raw} as target
            set _superseded_at = followed.superseded_at, _superseded_load_id = {load_id}
            from landing_followed as followed where target.rowid = followed.raw_rowid
        """)


def _check(con, file: ExtractFile, outcome: Outcome) -> None:
    accounted = outcome.rows_landed + outcome.rows_set_aside + outcome.rows_repeated
    if outcome.rows_in_file != accounted:
        raise RuntimeError(
            f"{file.name}: {outcome.rows_in_file} rows read, but {outcome.rows_landed} landed, "
            f"{outcome.rows_set_aside} set aside and {outcome.rows_repeated} repeated; nothing was landed"
        )
    share = outcome.rows_set_aside / max(outcome.rows_in_file, 1)
    if share > file.table.max_share_set_aside:
        rows, column, reason, value, line = con.execute(
            """
            select count(*), column_name, reason, arg_min(value, line), min(line) from landing.rejects
            where load_id = ? group by all order by 1 desc, 5 limit 1
            """,
            [outcome.load_id],
        ).fetchone()
        where = f"column {column}: " if column else ""
        raise Refused(
            f"{outcome.rows_set_aside} of {outcome.rows_in_file} rows break the contract, more than "
            f"{file.table.max_share_set_aside:.0%} may; most of them ({rows}): {where}{reason}, "
            f"first in line {line}{f', value {value!r}' if value is not None else ''}"
        )
