"""Which unknown column of a file a missing one may be now: alike in name, and in what stands in it."""

import duckdb

from orchestration.defs.landing.contract import Column, Table
from orchestration.defs.landing.names import likeness
from orchestration.defs.landing.readers import Relation
from orchestration.defs.landing.sql import ident
from orchestration.defs.landing.values import read_text, without_null_words

SAMPLE = 1000
KNOWN_VALUES = 100000
ENOUGH = 0.6  # of likeness of name and of values, each 0 to 1, taken together


def may_be_now(con: duckdb.DuckDBPyConnection, table: Table, relation: Relation) -> dict[str, str]:
    """Missing columns of the contract, each with the one column of the file that it may be called now."""
    if not relation.missing or not relation.extra:
        return {}
    missing = [column for column in table.columns if column.name in relation.missing]
    names = list(relation.extra)
    fields = ", ".join(f"({relation.extra[name]})::varchar as e{number}" for number, name in enumerate(names))
    con.execute(f"create or replace temp table landing_sample as select {fields} from {relation.sql} limit {SAMPLE}")
    scores = []
    for column in missing:
        for number, name in enumerate(names):
            by_name = max(likeness(each, name) for each in (column.name, *column.names))
            score = (by_name + _likeness_of_values(con, table, column, f"e{number}")) / 2
            if score >= ENOUGH:
                scores.append((score, column.name, name))
    found: dict[str, str] = {}
    for _, column, name in sorted(scores, reverse=True):
        if column not in found and name not in found.values():
            found[column] = name
    return found


def _likeness_of_values(con, table: Table, column: Column, candidate: str) -> float:
    """Share of the sample that could stand in the column; for a text, that has stood there on earlier nights."""
    text = without_null_words(column, candidate)
    if column.data_type == "varchar" and not column.accepted_values:
        raw = ident(table.schema, table.name)
        earlier = f"select distinct {ident(column.name)} as known from {raw} where {ident(column.name)} is not null"
        known, same, alike = con.execute(f"""
            with known as ({earlier} limit {KNOWN_VALUES})
            select
                (select count(*) from known),
                avg(({text} in (select known from known))::int),
                avg(({_shape(text)} in (select {_shape("known")} from known))::int)
            from landing_sample where {text} is not null
        """).fetchone()
        return max(same or 0.0, 0.7 * (alike or 0.0)) if known else 0.5
    value = read_text(column, candidate)
    accepted = ", ".join("?" for _ in column.accepted_values)
    fits = f"({value.sql}) is not null" + (f" and {candidate} in ({accepted})" if accepted else "")
    (share,) = con.execute(
        f"select avg(({fits})::int) from landing_sample where {text} is not null", list(column.accepted_values)
    ).fetchone()
    return share or 0.0


def _shape(text: str) -> str:
    """006bm00000LKJNNAA5 and 007xy11111ABCDEFG2 have one shape."""
    return f"regexp_replace(regexp_replace({text}, '[0-9]+', '9', 'g'), '\\p{{L}}+', 'a', 'g')"
