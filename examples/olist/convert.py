"""The Olist files into extracts of the generic layout. What becomes what is said in to_generic.sql."""

import filecmp
import tempfile
from contextlib import contextmanager
from pathlib import Path

import duckdb

SOURCES = {
    "leads": ("olist_marketing_qualified_leads_dataset.csv",),
    "closed_deals": ("olist_closed_deals_dataset.csv",),
    "sellers": ("olist_sellers_dataset.csv",),
    "order_items": ("olist_order_items_dataset.csv", "olist_order_items.parquet"),
}
"""The names a file may have; the first one there is read."""

TO_GENERIC = Path(__file__).with_name("to_generic.sql")


class Unusable(Exception):
    """The files cannot be converted as asked; the message says why."""


@contextmanager
def open_sources(folder: Path, closed_deals: Path | None = None):
    """A connection in memory with the files as views olist.*; `closed_deals` may lie elsewhere."""
    given = {"closed_deals": closed_deals} if closed_deals else {}
    files = {name: given.get(name) or _find(folder, names) for name, names in SOURCES.items()}
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("create schema olist")
        for name, path in files.items():
            con.execute(f"create view olist.{name} as select * from {_reader(path)}")
        yield con


def _find(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise Unusable(f"{folder} holds no {' or '.join(names)}")


def _reader(path: Path) -> str:
    quoted = "'" + str(path).replace("'", "''") + "'"
    if path.suffix == ".parquet":
        return f"read_parquet({quoted})"
    # Saved again by a spreadsheet, a file may have semicolons; one guess by its header is safer than by its rows.
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    delimiter = max(",;", key=header.count)
    return f"read_csv({quoted}, delim = '{delimiter}', quote = '\"', header = true, all_varchar = true)"


def convert(con: duckdb.DuckDBPyConnection, data: Path) -> Path:
    """Write the extracts below `data`; returns their folder, which is left alone if it is the same already."""
    try:
        return _convert(con, data)
    except duckdb.Error as error:
        # A column that is missing, a date or a number that cannot be read.
        raise Unusable(f"the files are not as expected: {error}") from error


def _convert(con: duckdb.DuckDBPyConnection, data: Path) -> Path:
    con.execute("create schema generic")
    con.execute(TO_GENERIC.read_text())
    (day,) = con.execute("select extract_day from olist.extract_day").fetchone()
    if day is None:
        raise Unusable("the files hold no leads")
    extracts = data / "extracts"
    target = extracts / "generic" / day.isoformat()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix="olist_") as name:
        folder = Path(name) / "extracts"
        folder.mkdir()
        entities = con.execute("select view_name from duckdb_views() where schema_name = 'generic'").fetchall()
        for (entity,) in entities:
            # Ordered, so that the same files give the same bytes.
            path = str(folder / f"{entity}.csv").replace("'", "''")
            con.execute(f"copy (select * from generic.{entity} order by all) to '{path}' (format csv, header)")
        found = [path for path in extracts.rglob("*") if path.is_file()]
        if not found:
            folder.rename(target)
        elif not _is_same(folder, target, found):
            # Events have no key: two versions of one history would count everything twice.
            raise Unusable(f"{extracts} holds other extracts than these; name another folder or empty it")
    return target


def _is_same(new: Path, old: Path, found: list[Path]) -> bool:
    names = sorted(path.name for path in new.iterdir())
    if sorted(found) != [old / name for name in names]:
        return False
    return all(filecmp.cmp(new / name, old / name, shallow=False) for name in names)
