"""A publication for the dashboard's tests: all tables, and nothing in them."""

from pathlib import Path

import duckdb

from orchestration.defs.landing.sql import ident, literal


def without_rows(published: Path, target: Path) -> Path:
    """A publication with the tables of another, and nothing in them: a warehouse into which nothing landed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(target), config={"threads": 1}) as con:
        con.execute(f"attach {literal(str(published))} as full_one (read_only)")
        names = [name for (name,) in con.execute("select distinct table_name from full_one.publication").fetchall()]
        for name in names:
            con.execute(f"create table {ident(name)} as select * from full_one.{ident(name)} limit 0")
        con.execute(
            """
            create table publication as
            select * replace (0 as row_count, null::timestamp as as_of, 'empty' as publication_id)
            from full_one.publication
            """
        )
    return target
