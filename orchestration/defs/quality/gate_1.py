"""Gate 1: what landed tonight, against the contract and against the earlier nights."""

from orchestration.defs.landing import freshness
from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.quality.expectations import Batch

MIN_VOLUME = 0.5  # rows of a full extract, as a share of the one before
MAX_NULL_JUMP = 0.5  # a column that was filled and is not any more has been renamed or dropped
MAX_NEW_VALUES = 0.2  # share of rows whose channel, stage, ... no earlier night had
MIN_ROWS = 50  # below this, shares say nothing

# Parts of one extract are one extract. A refused full extract matters no more once a later one has landed.
_EXTRACTS = """
with extracts as (
    select
        crm, entity, is_delta, extracted_at, bool_and(is_accepted) as is_accepted,
        sum(rows_in_file) as rows_in_extract
    from (
        -- a file delivered again under its name stands for itself alone
        select distinct on (path) * from landing.files where status = 'landed' order by path, load_id desc
    )
    group by all
)
"""

FILES = f"""
{_EXTRACTS}
select
    files.crm, files.entity, files.path, files.status, files.reason, files.is_delta,
    tonight.rows_in_extract, before.rows_in_extract as rows_before,
    case when not files.is_delta then tonight.rows_in_extract / nullif(before.rows_in_extract, 0)::double end as volume
from landing.files as files
left join extracts as tonight
    on (files.crm, files.entity, files.is_delta, files.extracted_at)
    = (tonight.crm, tonight.entity, tonight.is_delta, tonight.extracted_at)
left join lateral (
    select rows_in_extract from extracts as earlier
    where
        (earlier.crm, earlier.entity, earlier.is_delta) = (files.crm, files.entity, files.is_delta)
        and earlier.is_accepted and earlier.extracted_at < files.extracted_at
    order by earlier.extracted_at desc limit 1
) as before on true
where
    not files.is_accepted
    and not (
        files.status = 'refused' and not files.is_delta
        and exists (
            select 1 from extracts as later
            where
                (later.crm, later.entity) = (files.crm, files.entity)
                and not later.is_delta and later.extracted_at > files.extracted_at
        )
    )
"""

_PROFILES = """
with profiles as (
    select
        files.crm, files.entity, files.is_delta, files.is_accepted, profiles.column_name,
        sum(profiles.rows) as rows, sum(profiles.non_null_rows) as non_null_rows
    from landing.profiles inner join landing.files on profiles.load_id = files.load_id
    group by all
)
"""

COLUMNS = f"""
{_PROFILES}
select
    tonight.crm, tonight.entity, tonight.column_name,
    1 - tonight.non_null_rows / tonight.rows::double as null_share,
    1 - earlier.non_null_rows / earlier.rows::double as null_share_before,
    null_share - null_share_before as null_jump
from profiles as tonight
inner join profiles as earlier using (crm, entity, is_delta, column_name)
where
    not tonight.is_accepted and earlier.is_accepted
    and tonight.rows >= {MIN_ROWS} and earlier.rows >= {MIN_ROWS}
"""

VALUES = f"""
with counts as (
    select
        files.crm, files.entity, files.is_accepted, counts.column_name, counts.value, sum(counts.rows) as rows
    from landing.value_counts as counts inner join landing.files on counts.load_id = files.load_id
    where counts.value is not null
    group by all
),
known as (select distinct crm, entity, column_name, value from counts where is_accepted)
select
    tonight.crm, tonight.entity, tonight.column_name,
    sum(case when known.value is null then tonight.rows else 0 end) / sum(tonight.rows)::double as new_share,
    left(string_agg(case when known.value is null then tonight.value end, ', ' order by tonight.value), 200)
        as new_values
from counts as tonight
left join known using (crm, entity, column_name, value)
where
    not tonight.is_accepted
    and (tonight.crm, tonight.entity, tonight.column_name) in (select (crm, entity, column_name) from known)
group by tonight.crm, tonight.entity, tonight.column_name
having sum(tonight.rows) >= {MIN_ROWS}
"""


def batches(compares: bool = True) -> list[Batch]:
    """The suites of gate 1; without those that compare with earlier nights where `compares` is false.

    Every query has the columns crm and entity, so that a row names its asset.
    """
    return [_contract(), *([*_freshness(), *_comparisons()] if compares else [])]


def _contract() -> Batch:
    from great_expectations import expectations as gxe

    return Batch(
        "extract_files",
        query=FILES,
        index=("crm", "entity", "path", "reason"),
        expectations=[
            gxe.ExpectColumnValuesToBeInSet(
                column="status", value_set=["landed", "repeated"], description="every file must land"
            )
        ],
    )


def _comparisons() -> list[Batch]:
    from great_expectations import expectations as gxe

    return [
        Batch(
            "extract_volumes",
            query=FILES,
            index=("crm", "entity", "path", "rows_in_extract", "rows_before"),
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(
                    column="volume",
                    min_value=MIN_VOLUME,
                    description=f"a full extract must hold at least {MIN_VOLUME:.0%} of the rows of the one before",
                ),
            ],
        ),
        Batch(
            "extract_columns",
            query=COLUMNS,
            index=("crm", "entity", "column_name", "null_share", "null_share_before"),
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(
                    column="null_jump",
                    max_value=MAX_NULL_JUMP,
                    description=f"a column's share of empty values must not rise by more than {MAX_NULL_JUMP:.0%}",
                )
            ],
        ),
        Batch(
            "extract_values",
            query=VALUES,
            index=("crm", "entity", "column_name", "new_share", "new_values"),
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(
                    column="new_share",
                    max_value=MAX_NEW_VALUES,
                    description=f"at most {MAX_NEW_VALUES:.0%} of the rows may hold a value that no earlier night had",
                )
            ],
        ),
    ]


def _freshness() -> list[Batch]:
    from great_expectations import expectations as gxe

    tables = [table for table in load_contracts() if table.error_after]
    if not tables:
        return []
    return [
        Batch(
            "extract_freshness",
            query=freshness.sql(tables),
            index=("crm", "entity", "path", "last_at", "newest_at"),
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(
                    column="hours_over_limit",
                    max_value=0,
                    description="an entity must be delivered within the time that its contract declares as error_after",
                )
            ],
        )
    ]


def in_words(message: str, row: dict) -> str:
    """The expectation, and the row it does not hold for: its file or column first."""
    where = row.get("path") or f"{row['crm']}/{row['entity']}.{row.get('column_name')}"
    details = {
        name: f"{value:.2f}" if isinstance(value, float) else value
        for name, value in row.items()
        if name not in ("crm", "entity", "path", "column_name", "reason") and value is not None
    }
    reason = row.get("reason")
    told = reason or ", ".join(f"{name} = {value}" for name, value in details.items())
    return f"{where}: {told}" if reason else f"{where}: {message} ({told})"
