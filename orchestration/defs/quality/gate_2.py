"""Gate 2: the marts as a whole against the last publication, before BI sees them."""

from pathlib import Path

import duckdb

from orchestration.defs.quality.expectations import Batch

MIN_ROWS = 0.8  # rows of a mart, as a share of the last publication's
MAX_NULL_JUMP = 0.2  # change of a column's share of values, either way
MAX_MEAN_RATIO = 2.0  # change of a number's mean, either way
MIN_COMPARED = 100  # rows in the last publication, below which nothing is compared

# Without these there is nothing to see; any other table may be empty until it once had rows.
NEVER_EMPTY = ("dim_deals", "fct_deals")
REJECTS = "landing_rejects"  # fewer rows set aside is no fault


def last_publication(published: Path) -> dict[str, dict[str, tuple[int, int, float | None]]]:
    """table -> column -> (rows, non-null rows, mean) of what BI sees now; empty before the first publication."""
    if not published.exists():
        return {}
    with duckdb.connect(str(published), read_only=True) as con:
        rows = con.execute(
            "select table_name, column_name, row_count, non_null_count, mean_value from publication_columns"
        ).fetchall()
    profile: dict[str, dict[str, tuple[int, int, float | None]]] = {}
    for table, column, *numbers in rows:
        profile.setdefault(table, {})[column] = tuple(numbers)
    return profile


def batches(tables: dict[str, list[str]], last: dict[str, dict[str, tuple[int, int, float | None]]]) -> list[Batch]:
    """One suite a mart. `tables` maps a mart to its columns now, so that a new mart is covered by itself."""
    return [Batch(table, _suite(table, columns, last.get(table, {}))) for table, columns in sorted(tables.items())]


def _suite(table: str, columns: list[str], last: dict[str, tuple[int, int, float | None]]) -> list:
    from great_expectations import expectations as gxe

    rows_before = max((rows for rows, *_ in last.values()), default=0)
    at_least = max(1 if table in NEVER_EMPTY else 0, int(rows_before * MIN_ROWS) if table != REJECTS else 0)
    suite = [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=at_least,
            description=f"{table} must have at least {at_least:,} rows (the last publication had {rows_before:,})",
        )
    ]
    if rows_before < MIN_COMPARED:
        return suite
    for column in columns:
        if column not in last or column.startswith("_"):
            continue
        rows, non_null, mean = last[column]
        share = non_null / rows
        suite.append(
            gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(
                column=column,
                min_value=max(0.0, share - MAX_NULL_JUMP),
                max_value=min(1.0, share + MAX_NULL_JUMP),
                description=f"{table}.{column} must be filled about as often as in the last publication ({share:.0%})",
            )
        )
        if mean:
            low, high = sorted((mean / MAX_MEAN_RATIO, mean * MAX_MEAN_RATIO))
            suite.append(
                gxe.ExpectColumnMeanToBeBetween(
                    column=column,
                    min_value=low,
                    max_value=high,
                    description=f"the mean of {table}.{column} must stay near the last publication's ({mean:,.6g})",
                )
            )
    return suite
