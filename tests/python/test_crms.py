"""Each CRM's own files, from extracts/ to the marts: fixtures in the shapes that CRMs and loaders give.

tests/fixtures/<crm>/<date>/ is copied to extracts/<crm>/<date>/ of the nights that all tests share. To add a CRM, drop
its folder there and say below what its deals must become.
"""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.python.conftest import FIXTURES, inflight

pytestmark = pytest.mark.slow

SEEDS = os.environ.get("INFLIGHT_CRM_SEEDS")

# Of each deal: stage, way out, day entered; ~ where the time is that of an extract.
VISITS = {
    "amocrm": {
        # won in one pipeline, handed to another that has stages of the same names
        "101": "Неразобранное advanced 01-10, Переговоры advanced 01-11, Договор advanced 02-01, "
        "Успешно реализовано handed_off 02-18, Переговоры still_there 02-20",
        "102": "Переговоры advanced 01-12, Договор lost 01-20, Закрыто и не реализовано still_there 02-05",
        # the list exported by hand shows it in Договор: the CRM's own log wins
        "103": "Переговоры still_there 02-15",
        # 104 is in the bin
        "105": "Неразобранное still_there ~03-02",  # exported by hand: no history
    },
    "bitrix24": {
        "11": "Новая advanced 01-10, В работе advanced 01-20, Сделка успешна handed_off 02-18, Новая still_there 02-20",
        "12": "Новая lost 01-12, Дорого still_there 02-05",
        "13": "Новая advanced 02-15, В работе advanced 02-16, Сделка успешна still_there ~03-02",
        "14": "Новая still_there ~03-02",
    },
    "hubspot": {
        # It came back to Contact, which one date per stage (in the file as hs_v2_date_entered_contact) would not tell.
        "1001": "Contact advanced 01-10, Offer moved_back 02-10, Contact advanced 03-02, Offer advanced 03-20, "
        "Closed won still_there 04-20",
        "1002": "Contact advanced 02-01, Offer still_there 03-01",
        "1003": "Contact still_there 06-05",
        # 1004 was merged into 1001
        "1101": "Due advanced 05-04, Agreed still_there 06-01",  # a REST page
        "1201": "Closed lost still_there 05-20",  # exported by hand: no history
    },
    "pipedrive": {
        # two moves in one second, and won by a status
        "1": "Contact advanced 01-05, Offer advanced 02-10, Contract advanced 02-10, Won still_there 04-01",
        "2": "Contact advanced 02-01, Offer lost 02-20, Lost moved_back 03-01, Offer still_there 04-01",  # opened again
        # 3 was deleted
        "901": "Briefing handed_off ~06-20, Scoping still_there ~06-30",  # exported by hand on two nights
    },
    "salesforce": {
        "0065g00000AAA01AAA": "Qualification advanced 01-12, Proposal advanced 02-02, Closed Won still_there 03-15",
        # only the history of fields tells of it
        "0065g00000AAA02AAA": "Qualification advanced 02-02, Proposal still_there 04-01",
        "0065g00000AAA03AAA": "Qualification lost 03-01, Closed Lost still_there 04-28",
        # ...04 is in the recycle bin
    },
}

CHANGES = {
    # The dates that HubSpot wrote at the creation and at the closing are nobody's expectation.
    ("hubspot:1001", "expected_close_date", None, "2026-03-31", False),
    ("hubspot:1001", "expected_close_date", "2026-03-31", "2026-05-15", False),
    ("hubspot:1001", "amount", "10000", "12000.50", False),
    ("hubspot:1002", "owner_id", "501", "502", True),  # HubSpot's own word: a bulk edit
    ("pipedrive:2", "owner_id", "31", "32", True),
    # no log of these fields: what the extracts of two nights differ in
    ("pipedrive:901", "amount", "1500.00", "1800.00", None),
    ("pipedrive:901", "expected_close_date", "2026-08-31", "2026-09-30", None),
    ("salesforce:0065g00000AAA01AAA", "expected_close_date", "2026-02-28", "2026-04-30", False),
    ("salesforce:0065g00000AAA01AAA", "amount", "20000.00", "25000.00", False),
    ("salesforce:0065g00000AAA02AAA", "owner_id", "0055g00000AAA01AAA", "0055g00000AAA02AAA", False),
    ("salesforce:0065g00000AAA02AAA", "expected_close_date", "2026-06-30", "2026-09-30", False),
}

# task: is it completed, when, due when
TASKS = {
    "hubspot:3001": (True, "02-06 10:00", "02-05 16:00"),
    "hubspot:3002": (False, None, "03-05 16:00"),  # HubSpot has its due date in the field of completion
    "hubspot:3201": (True, "05-09 12:00", "05-10 10:00"),
    "pipedrive:11": (True, "01-13 07:00", "01-12 09:30"),  # due_date and due_time stand apart
    "pipedrive:12": (False, None, "02-15 23:59"),
    "salesforce:00T5g00000AAA01AAA": (True, "01-20 15:00", "01-20 23:59"),
    "salesforce:00T5g00000AAA02AAA": (False, None, "05-20 23:59"),
    # ...03 logs a call that was over, ...04 is about an account
    "salesforce:00T5g00000AAA04AAA": (False, None, "01-14 23:59"),
}

ACCOUNTS = {"hubspot:1001": "hubspot:902", "hubspot:1101": "hubspot:904", "pipedrive:1": "pipedrive:51"}
LOSS_REASONS = {"hubspot:1201": "Price", "salesforce:0065g00000AAA03AAA": "No budget"}  # a custom field
NOT_GIVEN = {
    "hubspot": {"original_deadline", "two_way_mail", "revenue_event"},
    "pipedrive": {
        "amount_log",
        "expected_close_date_log",
        "original_deadline",
        "two_way_mail",
        "decision_maker",
        "revenue_event",
    },
    "salesforce": {"original_deadline", "two_way_mail", "revenue_event"},
}


@pytest.fixture(scope="module")
def night(first_night: Path) -> Path:
    return first_night


def query(data: Path, sql: str) -> list[tuple]:
    """On what is published; the working file is `inflight`, under the name that its views use."""
    files = {
        "published": data / "published" / "inflight.duckdb",
        "marts": data / "warehouse" / "marts.duckdb",
        "inflight": data / "warehouse" / "inflight.duckdb",
    }
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        for name, path in files.items():
            con.execute(f"attach '{path}' as {name} (read_only)")
        con.execute("use published")
        return con.execute(sql).fetchall()


def crm_of(canonical_id: str) -> str:
    return canonical_id.split(":")[0]


def visits(data: Path, crm: str) -> dict[str, str]:
    return dict(
        query(
            data,
            f"""
            select
                split_part(deal_id, ':', 2),
                string_agg(
                    stage || ' ' || exit_type || ' '
                    || if(is_entered_at_exact, '', '~') || strftime(entered_at, '%m-%d'),
                    ', ' order by visit_number
                )
            from fct_stage_visits inner join dim_stages using (stage_id)
            where crm = '{crm}' group by deal_id
            """,
        )
    )


def test_every_row_of_every_file_landed(night: Path):
    files = query(night, "select crm, path, status, rows_in_file - rows_landed, reason from landing_files")
    assert {crm for crm, *_ in files} == {"generic", *(folder.name for folder in FIXTURES.iterdir())}
    assert [path for crm, path, *told in files if crm in VISITS and told != ["landed", 0, None]] == []


@pytest.mark.parametrize("crm", VISITS)
def test_the_stays_of_each_deal_are_those_of_its_crm(night: Path, crm: str):
    assert visits(night, crm) == VISITS[crm]


def test_changes_are_told_once_and_no_others(night: Path):
    changes = query(night, "select deal_id, field, old_value, new_value, is_bulk_edit from fct_deal_changes")
    told = [change for change in changes if crm_of(change[0]) in NOT_GIVEN]
    assert set(told) == CHANGES and len(told) == len(CHANGES)


def test_a_task_is_done_when_its_crm_says_so(night: Path):
    tasks = query(
        night,
        "select task_id, is_completed, strftime(completed_at, '%m-%d %H:%M'), strftime(due_at, '%m-%d %H:%M') "
        "from inflight.canonical.crm_tasks",
    )
    assert {task_id: tuple(told) for task_id, *told in tasks if crm_of(task_id) in NOT_GIVEN} == TASKS


def test_a_deal_has_one_account_and_the_reason_of_its_loss(night: Path):
    deals = query(night, "select deal_id, account_id, loss_reason from dim_deals")
    assert len({deal_id for deal_id, *_ in deals}) == len(deals)
    assert {deal_id: account for deal_id, account, _ in deals if deal_id in ACCOUNTS} == ACCOUNTS
    assert {deal_id: reason for deal_id, _, reason in deals if deal_id in LOSS_REASONS} == LOSS_REASONS


def test_a_company_in_two_crms_is_one(night: Path):
    shared = query(night, "select account_id, shared_account_id, matched_by from dim_accounts where is_in_several_crms")
    company = "pipedrive:52"
    assert set(shared) == {(company, company, "domain"), ("salesforce:0015g00000AAA01AAA", company, "domain")}


def test_what_a_crm_does_not_give_is_said(night: Path):
    told = query(night, "select crm, capability from crm_capabilities where not is_given and reason is not null")
    assert {crm: {name for each, name in told if each == crm} for crm in NOT_GIVEN} == NOT_GIVEN


# -- data of others: INFLIGHT_CRM_SEEDS names a folder with them


@pytest.fixture(scope="module")
def seeds_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeds of a loader's HubSpot and Salesforce schemas, and exports of a Salesforce demo org, by their own names."""
    data = tmp_path_factory.mktemp("seeds") / "data"
    hubspot, salesforce = (data / "extracts" / crm / "2026-03-08" for crm in ("hubspot", "salesforce"))
    for folder in (hubspot, salesforce):
        folder.mkdir(parents=True)
    for path in (Path(SEEDS) / "fivetran_hubspot_seeds" / "seeds").glob("*_data.csv"):
        shutil.copy(path, hubspot / f"{path.stem.removesuffix('_data')}.csv")
    for path in (Path(SEEDS) / "fivetran_salesforce_seeds" / "seeds").glob("sf_*_data.csv"):
        name = path.stem.removeprefix("sf_").removesuffix("_data")
        # <object>_history there is the loader's own history of whole rows, not an object of Salesforce
        if not name.endswith("_history"):
            shutil.copy(path, salesforce / f"{name}.delta.csv")
    for path in (Path(SEEDS) / "salesforce_powerbi").glob("*.csv"):
        shutil.copy(path, salesforce / path.name)
    inflight(data, "nightly")
    return data


@pytest.mark.skipif(not SEEDS, reason="INFLIGHT_CRM_SEEDS names no folder with the seeds")
def test_the_seeds_of_others_land_and_reach_the_stays(seeds_night: Path):
    landed = dict(
        query(
            seeds_night,
            "select crm || '.' || entity, sum(rows_landed) from landing_files where status = 'landed' group by all",
        )
    )
    assert {name: landed[name] for name in ("hubspot.deal", "hubspot.deal_stage")} == {
        "hubspot.deal": 44,
        "hubspot.deal_stage": 14,
    }
    # 36 and 48 of the demo org, 10 of the loader
    assert (landed["salesforce.opportunity"], landed["salesforce.opportunity_history"]) == (46, 48)
    stays = dict(query(seeds_night, "select split_part(deal_id, ':', 1), count(*) from fct_stage_visits group by all"))
    # HubSpot: 44 deals without a stage; their log is of others. Salesforce: the loader's 10 lie in the recycle bin.
    assert stays == {"hubspot": 44, "salesforce": 48}
    won = query(
        seeds_night, "select count(*) filter (status = 'won'), count(*) from dim_deals where crm = 'salesforce'"
    )
    assert won == [(12, 36)]
