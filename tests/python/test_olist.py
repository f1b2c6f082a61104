"""The Olist example: what its files become, on three leads made by hand and on the real ones if they are there."""

import os
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from examples.olist.__main__ import main
from examples.olist.convert import Unusable, convert, open_sources
from orchestration.defs.landing.land import land, open_warehouse
from orchestration.settings import Settings
from tests.python.conftest import Extracts, contract

REAL = os.environ.get("INFLIGHT_OLIST_SOURCE")

LEADS = """mql_id,first_contact_date,landing_page_id,origin
lead1,2018-02-01,page1,social
lead2,2018-02-03,page1,
lead3,2018-03-10,page2,unknown
"""
CLOSED_DEALS = """mql_id;seller_id;sdr_id;sr_id;won_date;business_segment;lead_type;declared_monthly_revenue
lead1;seller1;rep1;rep2;2018-02-26 19:58:54;pet;online_big;0.0
"""
CLOSED_DEALS_SAVED_AGAIN = """mql_id,seller_id,sdr_id,sr_id,won_date,business_segment,lead_type,declared_monthly_revenue
lead1,seller1,rep1,rep2,26-02-2018 19:58,pet,online_big,0
"""
SELLERS = """"seller_id","seller_zip_code_prefix","seller_city","seller_state"
"seller1","13023",campinas,SP
"seller9","13023",campinas,RJ
"""
ORDER_ITEMS = """order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value
order2,1,product1,seller1,2018-04-02 10:00:00,58.90,13.29
order1,1,product1,seller1,2018-03-15 09:45:35,58.90,13.29
order3,1,product2,seller9,2020-04-09 22:35:08,99.99,61.44
"""

DEALS = """deal_id,account_id,owner_id,pipeline,stage,status,amount,currency,channel,created_at,closed_at
lead1,seller1,rep2,olist,Won,won,,,social,2018-02-01 00:00:00,2018-02-26 19:58:54
lead2,,,olist,Lead,open,,,,2018-02-03 00:00:00,
lead3,,,olist,Lead,open,,,unknown,2018-03-10 00:00:00,
"""
EXTRACTS = {
    "deals": DEALS,
    "stage_changes": """deal_id,from_stage,to_stage,changed_at,changed_by
lead1,Lead,Won,2018-02-26 19:58:54,rep2
lead1,,Lead,2018-02-01 00:00:00,
lead2,,Lead,2018-02-03 00:00:00,
lead3,,Lead,2018-03-10 00:00:00,
""",
    "accounts": "account_id,region,segment\nseller1,SP,pet\n",
    "users": "user_id,team\nrep1,SDR\nrep2,Sales\n",
    "stages": "pipeline,stage,position,phase,is_won,is_lost\n"
    "olist,Lead,1,presale,false,false\nolist,Won,2,,true,false\n",
    "revenue_events": "deal_id,kind,occurred_at\nlead1,first_use,2018-03-15 09:45:35\n",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "olist_marketing_qualified_leads_dataset.csv").write_text(LEADS)
    (folder / "olist_closed_deals_dataset.csv").write_text(CLOSED_DEALS)
    (folder / "olist_sellers_dataset.csv").write_text(SELLERS)
    (folder / "olist_order_items_dataset.csv").write_text(ORDER_ITEMS)
    return folder


def write(source: Path, data: Path, closed_deals: Path | None = None) -> Path:
    with open_sources(source, closed_deals) as con:
        return convert(con, data)


def test_each_entity_is_written_as_derived(source: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    folder = write(source, data)
    # The day of the last event of these sellers, not of the stray order in 2020.
    assert folder == data / "extracts" / "generic" / "2018-03-15"
    assert {path.stem: path.read_text() for path in folder.iterdir()} == EXTRACTS
    assert sorted(path.name for path in data.iterdir()) == ["extracts"]


def test_the_extracts_land_whole(source: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "data")
    write(source, settings.data)
    with open_warehouse(settings) as con:
        outcomes = land(con, settings)
    assert {o.file.entity: (o.status, o.rows_landed) for o in outcomes} == {
        entity: ("landed", text.count("\n") - 1) for entity, text in EXTRACTS.items()
    }


def test_a_second_run_leaves_the_extracts_alone(source: Path, tmp_path: Path) -> None:
    first = write(source, tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert write(source, tmp_path / "data") == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == before


def test_a_folder_with_other_extracts_is_refused(source: Path, tmp_path: Path) -> None:
    first = write(source, tmp_path / "data")
    before = (first / "deals.csv").read_text()
    (source / "olist_closed_deals_dataset.csv").write_text(CLOSED_DEALS_SAVED_AGAIN)
    with pytest.raises(Unusable, match="holds other extracts"):
        write(source, tmp_path / "data")
    assert (first / "deals.csv").read_text() == before


def test_won_dates_may_be_written_day_first(source: Path, tmp_path: Path) -> None:
    again = tmp_path / "saved_again.csv"
    again.write_text(CLOSED_DEALS_SAVED_AGAIN)
    folder = write(source, tmp_path / "data", closed_deals=again)
    assert (folder / "deals.csv").read_text() == DEALS.replace("19:58:54", "19:58:00")


def test_a_won_date_of_another_form_stops_the_run(source: Path, tmp_path: Path) -> None:
    text = CLOSED_DEALS.replace("2018-02-26 19:58:54", "2/26/2018 19:58")
    (source / "olist_closed_deals_dataset.csv").write_text(text)
    with pytest.raises(Unusable, match="2/26/2018"):
        write(source, tmp_path / "data")
    assert not list((tmp_path / "data").rglob("*.csv"))


def test_a_declared_revenue_is_the_amount(source: Path, tmp_path: Path) -> None:
    (source / "olist_closed_deals_dataset.csv").write_text(CLOSED_DEALS.replace(";0.0", ";30000.0"))
    folder = write(source, tmp_path / "data")
    assert ",won,30000.00,BRL,social," in (folder / "deals.csv").read_text()


def test_the_command_names_a_missing_file(source: Path, tmp_path: Path) -> None:
    (source / "olist_sellers_dataset.csv").unlink()
    result = CliRunner().invoke(main, [str(source), "--data", str(tmp_path / "data"), "--no-run"])
    assert result.exit_code == 1
    assert "olist_sellers_dataset.csv" in result.output


PUBLISHED = """
create table dim_deals as from (values
    ('lead1', 'pet', 'social', 'won'), ('lead2', 'atypical', 'unknown', 'open'),
    ('lead3', 'atypical', 'unknown', 'open')
) as deals (deal_id, segment, channel, status);
create table fct_deals as from (values
    ('lead1', 'won', timestamp '2018-02-26 19:58:54', timestamp '2018-03-15 09:45:35'),
    ('lead2', 'open', null, null), ('lead3', 'open', null, null)
) as deals (deal_id, status, won_at, first_use_at);
create table landing_files as from (values
    ('deals', 3, 3, 0, 0), ('stage_changes', 4, 4, 0, 0), ('accounts', 1, 1, 0, 0), ('users', 2, 2, 0, 0),
    ('stages', 2, 2, 0, 0), ('revenue_events', 1, 1, 0, 0)
) as files (entity, rows_in_file, rows_landed, rows_set_aside, rows_repeated);
"""


@pytest.mark.parametrize(
    ("tampering", "differing"),
    [
        ("", None),
        ("update fct_deals set won_at = won_at + interval 1 month where status = 'won'", "2 of"),
        ("update landing_files set rows_landed = 2, rows_set_aside = 1 where entity = 'deals'", "1 of"),
        ("delete from landing_files where entity = 'users'", "3 of"),
        ("update fct_deals set first_use_at = null", "1 of"),
    ],
)
def test_the_command_fails_where_a_number_differs(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tampering: str, differing: str | None
) -> None:
    def publish(settings: Settings) -> None:
        settings.published.mkdir(parents=True)
        with duckdb.connect(str(settings.published_database)) as con:
            con.execute(PUBLISHED + tampering)

    monkeypatch.setattr("examples.olist.__main__._run_nightly", publish)
    result = CliRunner().invoke(main, [str(source), "--data", str(tmp_path / "data")])
    assert result.exit_code == (1 if differing else 0), result.output
    assert (f"Error: {differing}" if differing else "numbers are the same") in result.output


@pytest.mark.skipif(not REAL, reason="INFLIGHT_OLIST_SOURCE names no folder with the Olist files")
def test_the_real_files_give_the_same_wins_in_both_forms(tmp_path: Path) -> None:
    source = Path(REAL)
    deals = write(source, tmp_path / "data") / "deals.csv"
    counts = duckdb.sql(f"select status, count(*) from '{deals}' group by status order by status").fetchall()
    assert counts == [("open", 7158), ("won", 842)]

    again = source / "alt_format_closed_deals_ddmmyyyy.csv"
    if not again.exists():
        pytest.skip(f"{again.name} is not there")
    others = write(source, tmp_path / "again", closed_deals=again) / "deals.csv"
    # The second form has no seconds.
    query = "select * replace (date_trunc('minute', closed_at) as closed_at) from '{}' order by deal_id"
    assert duckdb.sql(query.format(deals)).fetchall() == duckdb.sql(query.format(others)).fetchall()


@pytest.mark.skipif(not REAL, reason="INFLIGHT_OLIST_SOURCE names no folder with the Olist files")
def test_the_real_wins_land_the_same_in_both_forms(tmp_path: Path) -> None:
    """The files as they are, each in its own format of time, by one contract that declares both."""
    contracts = contract(
        tmp_path,
        {"mql_id": {"data_type": "varchar", "required": True}, "won_date": {"data_type": "timestamp"}},
        key=["mql_id"],
        files=["olist_closed_deals_dataset", "alt_format_closed_deals_ddmmyyyy"],
        timestamp_formats=["iso", "%d-%m-%Y %H:%M"],
    )
    wins = []
    for name in ("olist_closed_deals_dataset.csv", "alt_format_closed_deals_ddmmyyyy.csv"):
        files = Extracts(Settings(tmp_path / name), "x")
        files.data(name, (Path(REAL) / name).read_bytes(), "2018-11-14")
        (outcome,) = files.land(contracts=contracts)
        assert (outcome.rows_in_file, outcome.rows_set_aside) == (842, 0)
        wins.append(files.query("select mql_id, date_trunc('minute', won_date) from raw_x.deals order by all"))
    assert len(wins[0]) == 842
    assert wins[0] == wins[1]
