"""Pulling from an API: every page once, in spite of everything, and no secret shown."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.cli import main
from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.land import land, open_warehouse
from orchestration.pull import client, pull
from orchestration.pull.apis import APIS
from orchestration.pull.client import Client, PullError
from orchestration.settings import Settings
from tests.python.fake_apis import FAKES, SECRET, FakeApi, environment

CRMS = sorted(FAKES)
DEALS = {"amocrm": "leads", "bitrix24": "deals", "hubspot": "deals", "pipedrive": "deals", "salesforce": "opportunity"}


def hurried(crm: str) -> Callable[[Any], Client]:
    """The CRM's client, without the waiting."""
    connect = APIS[crm].connect
    return lambda env: replace(connect(env), interval=0.0, backoff=0.001)


def pulled(
    settings: Settings, crm: str, api: FakeApi, secret: str = SECRET, full: bool = False
) -> dict[str, list[Any]]:
    """Pull, and return the answers in each file."""
    env = environment(crm, api.url, secret)
    return answers(pull.pull(settings, crm, full, env, connect=hurried(crm)))


def answers(folder: Path) -> dict[str, list[Any]]:
    return {
        path.name: [json.loads(line) for line in path.read_text().splitlines()] for path in sorted(folder.iterdir())
    }


def ids(pages: list[Any]) -> list[str]:
    """The ids of the deals on some pages, whatever the CRM calls them."""
    found = []
    for page in pages:
        rows = page
        for key in ("_embedded", "leads", "result", "results", "data", "records"):
            rows = rows.get(key, rows) if isinstance(rows, dict) else rows
        found += [str(row.get("ID") or row.get("Id") or row.get("id")) for row in rows]
    return found


def today(settings: Settings, crm: str, day: str) -> None:
    """Let the last pull have begun on `day`."""
    path = settings.data / "pull" / crm / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({name: f"{day}T00:00:00" for name in state}))


def break_off(run: Path) -> None:
    """Leave the file that was being written with half a line."""
    done = json.loads((run / "progress.json").read_text())["done"]
    for path in (run / "files").iterdir():
        if path.name.split(".")[0] not in done:
            with path.open("a") as file:
                file.write('{"half": ')


@pytest.mark.parametrize("crm", CRMS)
def test_every_page_is_read_once(settings: Settings, crm: str):
    with FakeApi(FAKES[crm]) as api:
        files = pulled(settings, crm, api)
        found = ids(files[f"{DEALS[crm]}.jsonl"])
        assert len(found) == len(set(found)) == (4 if crm == "bitrix24" else 5)
        assert not [name for name in files if "delta" in name]
        # an optional object that the token gives no access to is no file
        assert len(files) == len(APIS[crm].resources) - (crm == "salesforce")


@pytest.mark.parametrize("crm", CRMS)
def test_the_next_pull_reads_only_what_changed_and_a_full_one_all(settings: Settings, crm: str):
    with FakeApi(FAKES[crm]) as api:
        pulled(settings, crm, api)
        today(settings, crm, "2026-03-01")
        files = pulled(settings, crm, api)
        assert len(ids(files[f"{DEALS[crm]}.delta.jsonl"])) == 2
        assert f"{DEALS[crm]}.jsonl" in pulled(settings, crm, api, full=True)


def test_what_a_search_of_hubspot_finds_is_read_with_its_history(settings: Settings):
    with FakeApi(FAKES["hubspot"]) as api:
        pulled(settings, "hubspot", api)
        today(settings, "hubspot", "2026-03-01")
        changed = pulled(settings, "hubspot", api)["deals.delta.jsonl"]
    assert all(row["propertiesWithHistory"]["dealstage"] for page in changed for row in page["results"])


def test_the_log_of_a_pipedrive_deal_is_read_to_its_end(settings: Settings):
    with FakeApi(FAKES["pipedrive"]) as api:
        pages = pulled(settings, "pipedrive", api)["deal_flow.jsonl"]
    entries = [entry["data"]["id"] for page in pages for entry in page["data"]]
    assert sorted(entries) == [10 * deal + n for deal in range(1, 6) for n in range(3)]


def test_a_deal_that_is_deleted_while_it_is_read_stops_nothing(settings: Settings):
    def answer(call: Any) -> tuple[int, Any]:
        return (404, {}) if call.path.endswith("/deals/2/flow") else FAKES["pipedrive"](call)

    with FakeApi(answer) as api:
        pages = pulled(settings, "pipedrive", api)["deal_flow.jsonl"]
    assert {entry["data"]["item_id"] for page in pages for entry in page["data"]} == {1, 3, 4, 5}


def test_a_search_of_hubspot_that_ends_at_its_limit_goes_on_from_the_last_change():
    deals = next(resource for resource in APIS["hubspot"].resources if resource.name == "deals")
    search = deals.first(None, datetime(2026, 3, 1))
    at = "2026-03-02T10:00:00.250Z"
    page = {"results": [{"properties": {"hs_lastmodifieddate": at}}], "paging": {"next": {"after": "10000"}}}
    further = deals.next(search, page)
    assert "after" not in further.body and further.body["filterGroups"][0]["filters"][0]["value"] == "1772445600250"
    with pytest.raises(PullError, match="--full"):  # all of them changed in that moment: no way on
        deals.next(further, page)


@pytest.mark.parametrize("crm", sorted({table.crm for table in load_contracts()} & FAKES.keys()))
def test_what_is_pulled_lands(settings: Settings, crm: str):
    with FakeApi(FAKES[crm]) as api:
        pulled(settings, crm, api)
    with open_warehouse(settings) as con:
        outcomes = land(con, settings)
    assert {(outcome.file.name, outcome.status, outcome.rows_set_aside) for outcome in outcomes} == {
        (outcome.file.name, "landed", 0) for outcome in outcomes
    }
    deals = next(outcome for outcome in outcomes if outcome.file.path.name.startswith(DEALS[crm] + "."))
    assert deals.rows_landed == (4 if crm == "bitrix24" else 5)


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    crm=st.sampled_from(CRMS),
    faults=st.dictionaries(
        st.integers(0, 40), st.sampled_from([401, 429, 500, 503, "cut", "cut unseen", "killed"]), max_size=12
    ),
)
def test_whatever_goes_wrong_the_files_are_those_of_an_undisturbed_pull(settings: Settings, crm: str, faults: dict):
    shutil.rmtree(settings.data, ignore_errors=True)

    class Killed(BaseException):
        pass

    with FakeApi(FAKES[crm]) as api:
        undisturbed = pulled(Settings(settings.data / "undisturbed"), crm, api)
        api.calls.clear()
        api.faults = {n: fault for n, fault in faults.items() if fault != "killed"}
        deaths = {n for n, fault in faults.items() if fault == "killed"}

        def dying(env: Any) -> Client:
            mortal = hurried(crm)(env)
            read = mortal.read

            def until_death(request: Any) -> Any:
                if deaths and min(deaths) <= len(api.calls):
                    deaths.remove(min(deaths))
                    break_off(settings.data / "pull" / crm / "run")
                    raise Killed
                return read(request)

            mortal.read = until_death  # type: ignore[method-assign]
            return mortal

        for _ in range(len(faults) + 1):
            try:
                folder = pull.pull(settings, crm, env=environment(crm, api.url), connect=dying)
                break
            except (PullError, Killed):
                assert not (settings.extracts / crm).exists() or not list((settings.extracts / crm).iterdir())
        assert answers(folder) == undisturbed


def test_an_api_that_asks_to_wait_is_waited_for(settings: Settings):
    with FakeApi(FAKES["amocrm"], faults={2: 429}, retry_after="2") as api:
        began = time.monotonic()
        pulled(settings, "amocrm", api)
        assert time.monotonic() - began >= 2
        assert api.calls[2] == api.calls[3]


def test_requests_keep_the_pace_that_is_allowed(settings: Settings):
    with FakeApi(FAKES["amocrm"]) as api:
        began = time.monotonic()
        pull.pull(settings, "amocrm", env=environment("amocrm", api.url))
        assert time.monotonic() - began >= 0.15 * (len(api.calls) - 1)


def test_a_new_token_goes_on_where_the_expired_one_stopped(settings: Settings):
    with FakeApi(FAKES["amocrm"]) as api:
        undisturbed = pulled(Settings(settings.data / "undisturbed"), "amocrm", api)
        needed = len(api.calls)
        api.calls.clear()
        api.faults = {needed // 2: 401}
        with pytest.raises(PullError, match="put a new one into INFLIGHT_AMOCRM_TOKEN"):
            pulled(settings, "amocrm", api)
        assert pulled(settings, "amocrm", api) == undisturbed
        assert len(api.calls) == needed + 1


def test_a_salesforce_app_fetches_a_new_token_in_the_middle_of_a_pull(settings: Settings):
    with FakeApi(FAKES["salesforce"], faults={9: 401}) as api:
        env = {
            "INFLIGHT_SALESFORCE_URL": api.url,
            "INFLIGHT_SALESFORCE_CLIENT_ID": "app",
            "INFLIGHT_SALESFORCE_CLIENT_SECRET": "app-secret",
        }
        pull.pull(settings, "salesforce", env=env, connect=hurried("salesforce"))
        assert len([call for call in api.calls if call.path.endswith("/token")]) == 2


@pytest.mark.parametrize("crm", CRMS)
@pytest.mark.parametrize("fault", [400, 401, 403, 429, "cut"])
def test_no_secret_is_said_or_written(
    settings: Settings, crm: str, fault: int | str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    with FakeApi(FAKES[crm], faults=dict.fromkeys(range(4, 60), fault)) as api:
        for name, value in environment(crm, api.url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("INFLIGHT_DATA", str(settings.data))
        monkeypatch.setattr(client, "ATTEMPTS", 2)
        monkeypatch.setitem(APIS, crm, replace(APIS[crm], connect=hurried(crm)))
        done = CliRunner().invoke(main, ["pull", crm])
    assert done.exit_code == 1, done.output
    written = [path.read_text() for path in settings.data.rglob("*") if path.is_file()]
    assert not [text for text in [done.output, caplog.text, *written] if SECRET in text]
    assert crm in done.output


def test_a_secret_is_sent_to_no_other_address(settings: Settings):
    with FakeApi(lambda call: (200, {})) as elsewhere:

        def answer(call: Any) -> tuple[int, Any]:
            return 302, {"location": elsewhere.url}

        with FakeApi(answer) as api, pytest.raises(PullError):
            pulled(settings, "pipedrive", api)
        assert not elsewhere.calls


def test_a_missing_variable_is_named(settings: Settings):
    with pytest.raises(PullError, match="INFLIGHT_HUBSPOT_TOKEN is not set"):
        pull.pull(settings, "hubspot", env={})


def test_one_pull_of_a_crm_at_a_time(settings: Settings):
    with FakeApi(FAKES["amocrm"]) as api, pull._alone(settings, "amocrm"), pytest.raises(PullError, match="at work"):
        pulled(settings, "amocrm", api)


def test_a_pull_that_was_stopped_long_ago_begins_anew(settings: Settings):
    with FakeApi(FAKES["amocrm"], faults={6: 401}) as api:
        with pytest.raises(PullError):
            pulled(settings, "amocrm", api)
        path = settings.data / "pull" / "amocrm" / "run" / "progress.json"
        progress = json.loads(path.read_text())
        path.write_text(json.dumps({**progress, "started_at": datetime(2026, 1, 1).isoformat()}))
        before = len(api.calls)
        pulled(settings, "amocrm", api)
        assert api.calls[before].path == api.calls[0].path
