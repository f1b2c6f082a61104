"""A masked publication holds nobody's name, in any form; a team's file holds nobody else's rows."""

import csv
import hashlib
import hmac
import shutil
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from orchestration.defs.publish.deliver import deliver
from orchestration.defs.publish.privacy import HIDDEN, KEY, PRIVACY, SEED, Privacy, PrivacyError, from_env, hash_sql
from orchestration.defs.publish.publish import PublicationError, current, publish
from orchestration.defs.publish.teams import publish_team, slug
from orchestration.defs.warehouse.project import is_mart, manifest, marts
from orchestration.settings import Settings
from tests.python.models import give_project

LONG_KEY = "a key of more than sixteen characters"
PEOPLE = ("Anna Adler", "Bo Brandt", "anna@x.example", "Acme GmbH", "Acme, Carla Weber")


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PRIVACY, "masked")
    monkeypatch.setenv(KEY, LONG_KEY)


@pytest.fixture
def company(settings: Settings) -> Settings:
    """Marts with names wherever a mart holds them."""
    settings.marts.parent.mkdir(parents=True)
    give_project(settings)
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("create schema staging")
        con.execute("create table staging.stg_as_of as select timestamp '2026-01-01' as as_of")
    with duckdb.connect(str(settings.marts)) as con:
        con.execute("""
            create table dim_users as select * from (values
                ('anna@x.example', 'Anna Adler', null, 'North'), ('u2', 'Bo Brandt', 'Anna Adler', 'South')
            ) as t (user_id, user_name, manager_name, team);
            comment on column dim_users.user_name is 'Name.';
            create table dim_accounts as select 'a1' as account_id, 'Acme GmbH' as account_name;
            create table dim_deals as
            select
                'd' || i as deal_id, 'a1' as account_id, 'Acme, Carla Weber' as deal_name,
                if(i % 2 = 0, 'anna@x.example', 'u2') as owner_id, if(i % 2 = 0, 'North', 'South') as team,
                if(i = 0, 'Anna Adler was ill', 'price') as loss_reason, 1 as _load_id
            from range(10) t(i);
            alter table dim_deals alter column deal_id set not null;
            create table fct_deal_changes as
            select deal_id, owner_id as changed_by_id, owner_id as old_value, null as new_value from dim_deals;
            create table fct_team_days as select distinct team, 1 as won_deals from dim_deals;
            create table landing_rejects as
            select 'x,Anna Adler' as raw_text, 'Anna Adler' as value, 'no date' as reason;
            create table dim_stages as select 's1' as stage_id;
            create table cohort_stage_conversion as select 's1' as stage_id, 7 as entered;
        """)
    return settings


def publish_all(settings: Settings) -> None:
    with duckdb.connect(str(settings.marts), read_only=True) as con:
        names = [row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()]
    publish(settings, names, run_id="r", checks_passed=0)


def texts(database: Path) -> set[str]:
    """Every text in every table."""
    found: set[str] = set()
    with duckdb.connect(str(database), read_only=True) as con:
        for table, column in con.execute(
            "select table_name, column_name from duckdb_columns() where data_type = 'VARCHAR' and not internal"
        ).fetchall():
            found |= {row[0] for row in con.execute(f'select distinct "{column}" from "{table}"').fetchall() if row[0]}
    return found


@examples(max_examples=30, deadline=None)
@given(st.text(), st.text(min_size=16, max_size=150))
def test_the_hash_is_hmac_sha_256(text: str, key: str):
    with duckdb.connect() as con:
        Privacy("masked", key.encode()).prepare(con)
        (ours,) = con.execute(f"select {hash_sql('?')}", [text]).fetchone()
    assert ours == hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def test_no_name_is_left_in_any_form_of_a_masked_publication(company: Settings, masked):
    publish_all(company)
    found = texts(company.published_database)
    assert not [text for text in found for name in PEOPLE if name in text]
    for path in company.published.resolve().rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [name for name in PEOPLE if name.encode() in data], path
    rejects = duckdb.sql(f"select * from '{company.published}/parquet/landing_rejects.parquet'").fetchall()
    assert rejects == [(HIDDEN, HIDDEN, "no date")]


def test_hashes_join_hide_only_what_is_personal_and_keep_types_descriptions_and_not_nulls(company: Settings, masked):
    publish_all(company)
    with duckdb.connect(str(company.published_database), read_only=True) as con:
        assert con.execute(
            "select dim_users.team, count(*) from dim_deals inner join dim_users on owner_id = user_id "
            "inner join fct_deal_changes on fct_deal_changes.deal_id = dim_deals.deal_id and old_value = user_id "
            "group by 1 order by 1"
        ).fetchall() == [("North", 5), ("South", 5)]
        assert con.execute("select loss_reason, count(*) from dim_deals group by 1 order by 1").fetchall() == [
            (HIDDEN, 1),
            ("price", 9),
        ]
        assert con.execute("select count(*) from fct_deal_changes where new_value is null").fetchone() == (10,)
        columns = con.execute(
            "select column_name, is_nullable, comment from duckdb_columns() "
            "where table_name in ('dim_deals', 'dim_users') and column_name in ('deal_id', '_load_id', 'user_name')"
        ).fetchall()
        assert columns == [("deal_id", False, None), ("user_name", True, "Name.")]
        assert con.execute("select distinct privacy from publication").fetchall() == [("masked",)]
        (tags,) = con.execute("select tags from duckdb_databases() where database_name = 'inflight'").fetchone()
        assert tags["storage_version"].startswith("v1.0.0")


def test_names_that_were_published_before_are_not_kept_beside_the_hashes(company: Settings, monkeypatch):
    publish_all(company)
    monkeypatch.setenv(PRIVACY, "masked")
    with pytest.raises(PublicationError, match="needs a key of 16 characters"):
        publish_all(company)
    assert len(list((company.published / "releases").iterdir())) == 1
    monkeypatch.setenv(KEY, LONG_KEY)
    publish_all(company)
    (only,) = (company.published / "releases").iterdir()
    assert not [text for text in texts(only / "inflight.duckdb") if "Anna" in text]


@pytest.mark.parametrize(("name", "key"), [("masked", ""), ("masked", "short"), ("Masked", LONG_KEY), ("yes", "")])
def test_what_is_not_said_clearly_is_not_published(monkeypatch, name: str, key: str):
    monkeypatch.setenv(PRIVACY, name)
    monkeypatch.setenv(KEY, key)
    with pytest.raises(PrivacyError) as raised:
        from_env()
    assert not key or key not in str(raised.value)


def test_another_privacy_or_key_is_another_publication(monkeypatch):
    stamps = [from_env().stamp]
    for key in (LONG_KEY, LONG_KEY + "!"):
        monkeypatch.setenv(PRIVACY, "masked")
        monkeypatch.setenv(KEY, key)
        stamps.append(from_env().stamp)
        assert key not in stamps[-1]
    assert len(set(stamps)) == 3


def test_the_seed_names_columns_that_are_published_and_all_that_name_people(settings: Settings):
    give_project(settings)
    published = {
        (node["name"], column)
        for node in manifest(settings)["nodes"].values()
        if is_mart(node)
        for column in node["columns"]
    }
    with SEED.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["treatment"] for line in lines} <= {"hash", "hide", "rare"}
    everywhere = {("*", column) for _, column in published}
    assert {(line["table_name"], line["column_name"]) for line in lines} <= published | everywhere
    covered = {(line["table_name"], line["column_name"]) for line in lines}
    of_people = ("_name", "_by_id", "email", "phone", "owner_id", "user_id", "manager_id", "raw_text")
    bare = [each for each in published if each[1].endswith(of_people) and not {each, ("*", each[1])} & covered]
    assert sorted(bare) == [("landing_rejects", "column_name")]


def test_a_team_gets_its_own_rows_and_what_speaks_of_everybody_stays_out(company: Settings):
    publish_all(company)
    written = publish_team(company, "North")
    assert written.tables == {
        "dim_accounts": 1,
        "dim_deals": 5,
        "dim_stages": 1,
        "dim_users": 1,
        "fct_deal_changes": 5,
        "fct_team_days": 1,
    }
    assert written.left_out == ["cohort_stage_conversion", "landing_rejects"]
    found = texts(written.database)
    assert not [text for text in found if "Brandt" in text or "South" in text]
    assert b"Brandt" not in written.database.read_bytes()
    parquet = written.folder / "parquet" / "dim_deals.parquet"
    assert duckdb.sql(f"select distinct team from '{parquet}'").fetchall() == [("North",)]
    with pytest.raises(PublicationError, match="there is no team 'Nord'; there are North, South"):
        publish_team(company, "Nord")


def test_a_teams_file_follows_the_publication_and_its_privacy(company: Settings, monkeypatch):
    publish_all(company)
    first = publish_team(company, "North").database.resolve()
    assert deliver(company) == []
    assert first.exists()
    monkeypatch.setenv(PRIVACY, "masked")
    monkeypatch.setenv(KEY, LONG_KEY)
    publish_all(company)
    assert deliver(company) == []
    folder = company.published / "teams" / "north"
    assert not first.exists()
    assert not [text for text in texts(folder / "inflight.duckdb") for name in PEOPLE if name in text]
    with duckdb.connect(str(folder / "inflight.duckdb"), read_only=True) as con:
        shown = con.execute("select max(publication_id) from publication").fetchone()[0]
    assert shown == current(company).publication_id


def test_teams_of_like_names_have_folders_of_their_own(company: Settings):
    publish_all(company)
    publish_team(company, "North")
    (company.published / "teams" / "north" / "team").write_text("NORTH")
    with pytest.raises(PublicationError, match="is the folder of team 'NORTH'"):
        publish_team(company, "North")
    assert slug("north") == "north"
    assert len({slug(name) for name in ("north", "no/rth", "no rth", "../../etc", "Север", "Юг")}) == 6
    assert len(slug("очень длинное имя команды продаж на востоке").encode()) <= 47
    assert not any("__" in slug(name) for name in ("x__data", "x _ data", "_"))  # the schema of another's rows
    assert not set("/.\\") & set("".join(slug(name) for name in ("../../etc", "a\\b")))


@pytest.mark.slow
def test_the_example_company_masked_holds_none_of_its_peoples_names(
    first_night: Path,
    tmp_path: Path,
    masked,
):
    settings = Settings(Path(shutil.copytree(first_night, tmp_path / "data", symlinks=True)))
    names = personal_values(settings)
    publish(settings, marts(settings), run_id="masked", checks_passed=0)
    assert len(names) > 500
    found = texts(settings.published_database)
    assert not names & found
    everything = "\n".join(found)
    assert not [name for name in names if name[-1].isalpha() and name in everything]
    for path in settings.published_database.resolve().parent.rglob("*.*"):
        data = path.read_bytes()
        assert not [name for name in sorted(names)[::7] if name.encode() in data], path


def personal_values(settings: Settings) -> set[str]:
    """Names of users, accounts and deals as the CRM gave them."""
    folder = next((settings.extracts / "generic").iterdir())
    names: set[str] = set()
    for entity, column in (("users", "user_name"), ("accounts", "account_name"), ("deals", "deal_name")):
        path = next(folder.glob(f"{entity}.*"))
        names |= {row[0] for row in duckdb.sql(f"select distinct {column} from '{path}'").fetchall() if row[0]}
    return names | set(only_values(settings.published_database, "dim_users", "user_name")) - {None}


@pytest.mark.slow
def test_a_team_of_the_example_company_sees_no_other_teams_rows(
    first_night: Path,
    tmp_path: Path,
):
    settings = Settings(Path(shutil.copytree(first_night, tmp_path / "data", symlinks=True)))
    team = only_values(settings.published_database, "dim_deals", "team")[0]
    written = publish_team(settings, team)
    of_team = set(only_values(settings.published_database, "dim_deals", "deal_id", f"team = '{team}'"))
    with duckdb.connect(str(written.database), read_only=True) as con:
        columns = con.execute("select table_name, column_name from duckdb_columns() where not internal").fetchall()
    for table, column in columns:
        if column == "team":
            assert set(only_values(written.database, table, column)) <= {team}, table
        if column == "deal_id":
            assert set(only_values(written.database, table, column)) <= of_team, table
    assert written.tables["fct_stage_visits"] > 0
    assert "cohort_stage_conversion" in written.left_out
    assert set(only_values(written.database, "cohort_stage_conversion_rollups", "rolled_up_value")) == {team}


def only_values(database: Path, table: str, column: str, condition: str = "true") -> list[str]:
    with duckdb.connect(str(database), read_only=True) as con:
        return [row[0] for row in con.execute(f"select distinct {column} from {table} where {condition}").fetchall()]
