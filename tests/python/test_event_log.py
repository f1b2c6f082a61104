"""Dagster's event log as we keep it: what a run plans and does is all there, and Dagster's own storage can read it."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.test_utils import instance_for_test

from orchestration.event_log import EventLog


@dg.multi_asset(
    specs=[dg.AssetSpec("one"), dg.AssetSpec("two")], check_specs=[dg.AssetCheckSpec("is_right", asset="two")]
)
def tables():
    yield dg.MaterializeResult("one")
    yield dg.MaterializeResult("two", check_results=[dg.AssetCheckResult(check_name="is_right", passed=True)])


def events_of(folder: Path, storage: type, batch_size: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], bool]:
    """The kinds of the events of a run that was logged by `storage`, as Dagster's own reads them, and the check."""
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", str(batch_size))
    folder.mkdir()
    log = {"module": storage.__module__, "class": storage.__name__, "config": {"base_dir": str(folder)}}
    with instance_for_test(temp_dir=str(folder), overrides={"event_log_storage": log}) as instance:
        assert isinstance(instance.event_log_storage, storage)
        run = dg.materialize([tables], instance=instance)
        own = ConsolidatedSqliteEventLogStorage(base_dir=str(folder))
        check = own.get_latest_asset_check_execution_by_key([dg.AssetCheckKey(dg.AssetKey("two"), "is_right")])
        kinds = [record.event_log_entry.dagster_event_type for record in own.get_records_for_run(run.run_id).records]
        return sorted(kind.value for kind in kinds), bool(check)


def test_the_log_holds_what_dagsters_own_would(tmp_path, monkeypatch):
    own = events_of(tmp_path / "own", ConsolidatedSqliteEventLogStorage, 0, monkeypatch)
    ours = events_of(tmp_path / "ours", EventLog, 1000, monkeypatch)
    assert ours == own
    assert ours[0].count("ASSET_MATERIALIZATION_PLANNED") == 2
    assert ours[1]


def test_a_batch_that_fails_leaves_nothing_half_written(tmp_path, monkeypatch):
    written = []

    def store(self, event):
        written.append(event)
        with self.run_connection("r") as connection:
            connection.exec_driver_sql("insert into snapshots (snapshot_id) values ('x')")
        if len(written) == 2:
            raise RuntimeError

    storage = EventLog(base_dir=str(tmp_path))
    with storage.index_connection() as connection:
        connection.exec_driver_sql("create table snapshots (snapshot_id text)")
    monkeypatch.setattr(ConsolidatedSqliteEventLogStorage, "store_event", store)
    with pytest.raises(RuntimeError):
        storage.store_event_batch(["a", "b"])
    with storage.index_connection() as connection:
        assert connection.exec_driver_sql("select count(*) from snapshots").scalar() == 0
