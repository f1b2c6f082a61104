"""A file written anew from another one's tables. What was left out of it is not in it: a changed copy would keep the
old values in blocks that it no longer uses.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

from orchestration.defs.landing.sql import ident, literal

Select = Callable[[str, str, list[str]], str]  # (relation, table, columns) -> the query whose rows are copied


def write_copy(con: duckdb.DuckDBPyConnection, source: Path, tables: Iterable[str], select: Select) -> None:
    """Write `tables` of the file `source` into the file that `con` has open, with descriptions and not-nulls.

    Columns that start with _ are technical and stay behind.
    """
    con.execute(f"attach {literal(str(source))} as source (read_only)")
    try:
        for table in tables:
            relation = ident("source", "main", table)
            columns = con.execute(
                "select column_name, is_nullable, comment from duckdb_columns() where database_name = 'source' "
                "and table_name = ? and not starts_with(column_name, '_') order by column_index",
                [table],
            ).fetchall()
            con.execute(f"create table {ident(table)} as {select(relation, table, [name for name, *_ in columns])}")
            (comment,) = con.execute(
                "select comment from duckdb_tables() where database_name = 'source' and table_name = ?", [table]
            ).fetchone()
            if comment:
                con.execute(f"comment on table {ident(table)} is {literal(comment)}")
            for name, is_nullable, comment in columns:
                if not is_nullable:
                    con.execute(f"alter table {ident(table)} alter column {ident(name)} set not null")
                if comment:
                    con.execute(f"comment on column {ident(table, name)} is {literal(comment)}")
    finally:
        con.execute("detach source")
