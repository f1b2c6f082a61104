"""Entities that were delivered on earlier nights and are not any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from orchestration.defs.landing.contract import Table
from orchestration.defs.landing.sql import literal


@dataclass(frozen=True)
class Late:
    """An entity whose last extract is older than the newest of all; as of the data, whatever the clock says."""

    crm: str
    entity: str
    last_at: datetime
    newest_at: datetime
    is_warned: bool

    def __str__(self) -> str:
        return (
            f"{self.crm}/{self.entity} was last delivered {self.last_at:%F}, other extracts are of {self.newest_at:%F}"
        )


def sql(tables: Iterable[Table]) -> str:
    """SELECT of a row per entity that was ever delivered. Without a declared limit, a day missed is warned of."""
    limits = ", ".join(
        f"({literal(table.crm)}, {literal(table.name)}, {_hours(table.warn_after)}, {_hours(table.error_after)})"
        for table in tables
    )
    return f"""
with limits (crm, entity, warn_after_hours, error_after_hours) as (values {limits}),
delivered as (
    select crm, entity, max(extracted_at) as last_at, max(max(extracted_at)) over () as newest_at
    from landing.files
    where status in ('landed', 'repeated') and (crm, entity) in (select (crm, entity) from limits)
    group by crm, entity
)
select
    crm, entity, crm || '/' || entity as path, last_at, newest_at,
    date_diff('second', last_at, newest_at) / 3600.0 as hours_late,
    case
        when warn_after_hours is null then last_at::date < newest_at::date else hours_late > warn_after_hours
    end as is_warned,
    hours_late - error_after_hours as hours_over_limit
from delivered inner join limits using (crm, entity)
order by crm, entity
"""


def late(con: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> list[Late]:
    """What to warn of."""
    columns = "crm, entity, last_at, newest_at, is_warned"
    return [Late(*row) for row in con.execute(f"select {columns} from ({sql(tables)}) where is_warned").fetchall()]


def _hours(span: timedelta | None) -> str:
    return "null::double" if span is None else repr(span.total_seconds() / 3600)
