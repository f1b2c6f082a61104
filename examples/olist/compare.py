"""Figures of the published tables beside the same figures by plain SQL over the Olist files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Figure:
    """Two queries, each with rows of (key, number), that must give the same rows."""

    name: str
    published: str
    source: str


@dataclass(frozen=True)
class Line:
    """One number of a figure, from both sides; None where a side does not have the key."""

    figure: str
    key: str
    published: int | None
    source: int | None

    @property
    def is_same(self) -> bool:
        return self.published == self.source


# What the files say of the rows each extract must have, without any of the queries that wrote them.
_SOURCE_ROWS = """
    select 'deals' as entity, count(*) as n from olist.leads
    union all
    select 'stage_changes', (select count(*) from olist.leads) + (select count(*) from olist.closed_deals)
    union all
    select 'accounts', count(distinct seller_id) from olist.closed_deals
    union all
    select 'users', count(distinct user_id)
    from (select unnest([sdr_id, sr_id]) as user_id from olist.closed_deals)
    union all
    select 'stages', 2
    union all
    select 'revenue_events', count(*)
    from olist.closed_deals where seller_id in (select seller_id from olist.order_items)
"""

FIGURES = (
    Figure(
        "deals",
        "select 'all', count(*) from dim_deals",
        "select 'all', count(*) from olist.leads",
    ),
    Figure(
        "deals by channel",
        "select channel, count(*) from dim_deals group by channel",
        "select coalesce(origin, 'unknown') as channel, count(*) from olist.leads group by 1",
    ),
    Figure(
        "deals by status",
        "select status, count(*) from fct_deals group by status",
        """
        select case when mql_id in (select mql_id from olist.closed_deals) then 'won' else 'open' end, count(*)
        from olist.leads group by 1
        """,
    ),
    Figure(
        "wins by month",
        "select strftime(won_at, '%Y-%m'), count(*) from fct_deals where status = 'won' group by 1",
        """
        select
            case when won_date[5] = '-' then won_date[:7] else won_date[7:10] || '-' || won_date[4:5] end,
            count(*)
        from olist.closed_deals group by 1
        """,
    ),
    Figure(
        "wins by segment",
        "select segment, count(*) from dim_deals where status = 'won' group by segment",
        "select coalesce(business_segment, 'atypical'), count(*) from olist.closed_deals group by 1",
    ),
    Figure(
        "deals with a first sale",
        "select 'all', count(first_use_at) from fct_deals",
        """
        select 'all', count(*) from olist.closed_deals
        where seller_id in (select seller_id from olist.order_items)
        """,
    ),
    Figure(
        "rows in the file",
        "select entity, sum(rows_in_file) from landing_files group by entity",
        _SOURCE_ROWS,
    ),
    Figure(
        "rows landed, set aside and repeated",
        "select entity, sum(rows_landed + rows_set_aside + rows_repeated) from landing_files group by entity",
        _SOURCE_ROWS,
    ),
    Figure(
        "rows set aside",
        "select entity, sum(rows_set_aside) from landing_files group by entity",
        f"select entity, 0 from ({_SOURCE_ROWS})",
    ),
)


def compare(published: Path, sources: duckdb.DuckDBPyConnection) -> Iterator[Line]:
    """Every number of every figure, in the order of its keys."""
    with duckdb.connect(str(published), read_only=True) as con:
        for figure in FIGURES:
            ours = _numbers(con, figure.published)
            theirs = _numbers(sources, figure.source)
            for key in sorted(ours.keys() | theirs.keys()):
                yield Line(figure.name, key, ours.get(key), theirs.get(key))


def _numbers(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    return {str(key): int(number) for key, number in con.execute(query).fetchall()}
