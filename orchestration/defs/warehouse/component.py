"""dbt's models and tests as assets and checks, through Dagster's own dbt component."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProjectComponent
from dagster_dbt.asset_utils import get_subset_selection_for_context
from packaging.version import Version

from orchestration.defs.warehouse import ahead
from orchestration.defs.warehouse.kept import kept_marts, restore
from orchestration.defs.warehouse.project import BuiltFrom, manifest
from orchestration.progress import say
from orchestration.settings import PROJECT_DIR, Settings

# Views and most seeds are made of code alone; an unchanged project has them already. Their tests run every night.
UNCHANGED = ["--exclude", "config.materialized:view config.meta.changes_with:code", "--indirect-selection", "empty"]
# Events come as JSON; what dbt would write for others to read, at a second each, nobody reads.
LEAN = ["--log-format", "json", "--log-level-file", "none", "--no-write-json"]
SLOW = 2.0  # seconds; a model that takes longer is worth a line


def asset_key(node: dict[str, Any]) -> dg.AssetKey:
    """A model or seed is called by its name, a source by CRM and entity."""
    if node["resource_type"] == "source":
        return dg.AssetKey([node["source_name"], node["name"]])
    return dg.AssetKey(node["name"])


@dataclass
class WarehouseComponent(DbtProjectComponent):
    """Builds what is new; everything, when the project's code has changed since the last build.

    The project is used where it lies: a snapshot of it would copy the data and the environment as well.
    """

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        manifest(Settings.from_env())
        return self.build_defs_from_state(context, None)

    def get_asset_spec(self, manifest: dict[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        node = self.get_resource_props(manifest, unique_id)
        spec = DagsterDbtTranslator.get_asset_spec(self.translator, manifest, unique_id, project)
        return spec.replace_attributes(key=asset_key(node), group_name=node["fqn"][1] if "fqn" in node else None)

    def execute(self, context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        settings = Settings.from_env()
        for earlier_run in settings.dbt_target.glob("dbt_build-*"):
            shutil.rmtree(earlier_run, ignore_errors=True)
        built_from = BuiltFrom(settings)
        is_current = built_from.is_current
        built_from.forget()  # until this build has passed its tests
        if not is_current:
            say("dbt", "full build: the first night, or the project's code has changed")
        for name in restore(settings, kept_marts(self._validated_manifest)):
            say("dbt", f"{name} was taken back from the last publication: it is kept, not made anew")
        args = [*self.get_cli_args(context), *(UNCHANGED if is_current else ["--full-refresh"])]
        args += ["--vars", json.dumps({"rewind": True})] if settings.as_of else []
        yield from _watched(self._run(args, context, settings))
        if not context.is_subset:
            built_from.remember()

    def _run(self, args: list[str], context: dg.AssetExecutionContext, settings: Settings) -> Iterator[Any]:
        """The dbt that was started ahead does what DbtCliResource would start one for, and asks for less."""
        target = settings.dbt_target / f"dbt_build-{context.run_id[:7]}"
        project = self._validated_manifest
        selection, indirect = get_subset_selection_for_context(
            context, project, self.select, self.exclude, self.selector, self.translator, None
        )
        paths = ["--target-path", str(target), "--log-path", str(target)]
        selection += ["--indirect-selection", indirect] if indirect else []
        return DbtCliInvocation(
            process=ahead.take().run([*LEAN, *args, *paths, *selection]),
            manifest=project,
            dagster_dbt_translator=self.translator,
            project_dir=PROJECT_DIR,
            target_path=target,
            raise_on_error=True,
            cli_version=Version(version("dbt-core")),
            project=self.dbt_project,
            context=context,
        ).stream()


def _watched(events: Iterator[Any]) -> Iterator[Any]:
    """Pass the events on; say what takes long and what fails, and count at the end."""
    models = passed = 0
    for event in events:
        if isinstance(event, dg.AssetCheckResult):
            passed += event.passed
            if not event.passed:
                say("dbt", f"{event.severity.value.lower()} in {event.asset_key.to_user_string()}: {event.check_name}")
        elif isinstance(event, dg.Output | dg.MaterializeResult):
            models += 1
            seconds = (event.metadata or {}).get("Execution Duration")
            if seconds is not None and seconds.value >= SLOW:
                say("dbt", f"{_name(event)} built in {seconds.value:.1f} s")
        yield event
    say("dbt", f"{models} models and seeds built, {passed} tests passed")


def _name(event: Any) -> str:
    return event.asset_key.to_user_string() if getattr(event, "asset_key", None) else event.output_name
