"""Gate 2: the marts as a whole against the last publication, before BI sees them.

Every column of every mart is profiled in one scan of its table; the expectations look at the profile, so that a
new mart is covered by itself and a large one costs no more than that scan.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from orchestration.defs.landing.sql import ident, literal
from orchestration.defs.quality.expectations import Batch

MIN_ROWS = 0.8  # rows of a mart, as a share of the last publication's
MAX_SHARE_CHANGE = 0.2  # change of a column's share of values, either way
MAX_MEAN_RATIO = 2.0  # change of a number's mean, either way
MIN_COMPARED = 100  # rows in the last publication, below which nothing is compared
MIN_COUNTED = 1000  # of a count that is rarer, in all rows, a few more are no news

# Without these there is nothing to see; any other table may be empty until it once had rows.
NEVER_EMPTY = ("dim_deals", "fct_deals")
REJECTS = "landing_rejects"  # fewer rows set aside is no fault

TOLD = ("table_name", "column_name", "row_count", "row_count_before", "filled", "filled_before", "mean", "mean_before")

PROFILE = """
create or replace table profile (
    table_name varchar, column_name varchar, data_type varchar, row_count bigint, non_null_count bigint,
    mean_value double
)
"""

COMPARED = """
create or replace table compared as
select
    now.table_name, now.column_name, now.row_count, last.row_count as row_count_before,
    case
        when now.table_name in {never_empty} and now.row_count = 0 then 0
        when now.table_name <> {rejects} and last.row_count >= {min_compared}
            then now.row_count / last.row_count::double
    end as row_ratio,
    now.non_null_count / nullif(now.row_count, 0)::double as filled,
    last.non_null_count / nullif(last.row_count, 0)::double as filled_before,
    case when last.row_count >= {min_compared} then filled - filled_before end as filled_change,
    now.mean_value as mean, last.mean_value as mean_before,
    case
        when now.data_type in ('BIGINT', 'INTEGER', 'HUGEINT') and last.mean_value * last.non_null_count < {min_counted}
            then null
        when last.row_count >= {min_compared} then now.mean_value / nullif(last.mean_value, 0)
    end as mean_ratio
from profile as now
left join last_profile as last
    on now.table_name = last.table_name and now.column_name = last.column_name
        and not list_has_any(?, [now.table_name, now.table_name || '.' || now.column_name])
"""


def profile_column_sql(columns: list[tuple[str, str]]) -> str:
    """Aggregates of one scan: count(*), then a count of values and then a mean size for every (column, type).

    Of the size, without the sign: the mean of a difference is near 0, and any other is many times that.
    """
    means = [f"avg(abs({ident(column)}))" if is_number(data_type) else "null::double" for column, data_type in columns]
    return ", ".join(["count(*)", *(f"count({ident(column)})" for column, _ in columns), *means])


def is_number(data_type: str) -> bool:
    return data_type.startswith("DECIMAL") or data_type in ("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "HUGEINT")


def compare(
    marts: Path, names: list[str], published: Path | None, profiles: Path, not_compared: Iterable[str] = ()
) -> None:
    """Write the table `compared` into the file `profiles`: one row a column, now and in `published` (None: nothing).

    Of the tables and columns `not_compared` (`name`, `name.column`), nothing is held against the last publication.
    """
    profiles.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(profiles)) as con:
        con.execute(PROFILE)
        con.execute(f"attach {literal(str(marts))} as marts (read_only)")
        for name in names:
            table = ident("marts", "main", name)
            described = con.execute(f"select column_name, column_type from (describe {table})").fetchall()
            columns = [(column, data_type) for column, data_type in described if not column.startswith("_")]
            rows, *values = con.execute(f"select {profile_column_sql(columns)} from {table}").fetchone()
            filled, means = values[: len(columns)], values[len(columns) :]
            con.executemany(
                "insert into profile values (?, ?, ?, ?, ?, ?)",
                [
                    (name, column, data_type, rows, count, mean)
                    for (column, data_type), count, mean in zip(columns, filled, means, strict=True)
                ],
            )
        con.execute("create or replace table last_profile as select * from profile limit 0")
        if published and published.exists():
            con.execute(f"attach {literal(str(published.resolve()))} as published (read_only)")
            con.execute("insert into last_profile select * from published.publication_columns")
        con.execute(
            COMPARED.format(
                never_empty=NEVER_EMPTY,
                rejects=literal(REJECTS),
                min_compared=literal(MIN_COMPARED),
                min_counted=literal(MIN_COUNTED),
            ),
            [list(not_compared)],
        )


def batches() -> list[Batch]:
    """The suite of gate 2, over the table that `compare` writes."""
    from great_expectations import expectations as gxe

    return [
        Batch(
            "compared",
            index=TOLD,
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(
                    column="row_ratio",
                    min_value=MIN_ROWS,
                    description=f"a mart must have rows, at least {MIN_ROWS:.0%} of those last published",
                ),
                gxe.ExpectColumnValuesToBeBetween(
                    column="filled_change",
                    min_value=-MAX_SHARE_CHANGE,
                    max_value=MAX_SHARE_CHANGE,
                    description="a column must be filled about as often as last published",
                ),
                gxe.ExpectColumnValuesToBeBetween(
                    column="mean_ratio",
                    min_value=1 / MAX_MEAN_RATIO,
                    max_value=MAX_MEAN_RATIO,
                    description="a number's mean size must stay near the one last published",
                ),
            ],
        )
    ]


def in_words(message: str, row: dict) -> str:
    """The expectation, and the column it does not hold for, now and before."""
    now_and_before = {
        "rows": ("row_count", "row_count_before"),
        "filled": ("filled", "filled_before"),
        "mean": ("mean", "mean_before"),
    }[next(word for word in ("rows", "filled", "mean") if word in message)]
    now, before = (row[name] if row[name] is not None else 0 for name in now_and_before)
    where = row["table_name"] if "rows" in message else f"{row['table_name']}.{row['column_name']}"
    return f"{where}: {message} (now {now:,.4g}, before {before:,.4g})"
