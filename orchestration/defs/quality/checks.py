"""The gates as blocking asset checks: what does not pass goes no further."""

import dagster as dg

from orchestration.defs.landing import freshness
from orchestration.defs.landing.assets import raw_asset_keys
from orchestration.defs.landing.contract import load_contracts
from orchestration.defs.landing.land import open_warehouse
from orchestration.defs.landing.ledger import accept
from orchestration.defs.warehouse.project import marts, not_compared
from orchestration.lock import NightlyLock
from orchestration.progress import say
from orchestration.settings import Settings

MAX_ROWS_TOLD = 20


@dg.multi_asset_check(
    name="gate_1",
    specs=[dg.AssetCheckSpec("gate_1", asset=key, blocking=True) for key in raw_asset_keys()],
)
def gate_1(context: dg.AssetCheckExecutionContext, nightly_lock: NightlyLock):
    """What landed tonight, against the contract and the earlier nights. What passes is accepted for good."""
    from orchestration.defs.quality import expectations, gate_1

    settings = Settings.from_env()
    findings = expectations.validate(settings.warehouse, "gate_1", gate_1.batches(settings.compares), settings.quality)
    messages: dict[dg.AssetKey, list[str]] = {}
    for finding in findings:
        for row in finding.rows[:MAX_ROWS_TOLD]:
            key = dg.AssetKey([str(row["crm"]), str(row["entity"])])
            messages.setdefault(key, []).append(gate_1.in_words(finding.message, row))
    if not findings:
        with open_warehouse(settings) as con:
            accept(con)
            for each in freshness.late(con, load_contracts()):
                say("gate 1", f"warning: {each}")
        say("gate 1", "passed")
    for key in raw_asset_keys():
        yield from _results("gate_1", key, messages.get(key, []))


@dg.multi_asset_check(
    name="gate_2",
    specs=[dg.AssetCheckSpec("gate_2", asset=name, blocking=True) for name in marts(Settings.from_env())],
)
def gate_2(context: dg.AssetCheckExecutionContext, nightly_lock: NightlyLock):
    """The marts as a whole, against the last publication."""
    from orchestration.defs.quality import expectations, gate_2

    settings = Settings.from_env()
    names = marts(settings)
    profiles = settings.warehouse.parent / "profiles.duckdb"
    published = settings.published_database if settings.compares else None
    gate_2.compare(settings.marts, names, published, profiles, not_compared(settings))
    findings = expectations.validate(profiles, "gate_2", gate_2.batches(), settings.quality)
    messages: dict[str, list[str]] = {}
    for finding in findings:
        for row in finding.rows:
            said = messages.setdefault(row["table_name"], [])
            said.extend({gate_2.in_words(finding.message, row)} - set(said))
    if not findings:
        say("gate 2", "passed")
    for name in names:
        yield from _results("gate_2", dg.AssetKey(name), messages.get(name, []))


def _results(check: str, key: dg.AssetKey, messages: list[str]):
    for message in messages:
        say(check.replace("_", " "), f"STOP: {message}")
    yield dg.AssetCheckResult(
        check_name=check,
        asset_key=key,
        passed=not messages,
        description="; ".join(messages) or None,
        metadata={"messages": messages},
    )
