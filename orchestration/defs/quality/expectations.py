"""Run suites of Great Expectations on a DuckDB file, keep the Data Docs, and say in words what failed."""

import importlib
import shutil
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.defs.quality.data_docs import make_self_contained

if TYPE_CHECKING:  # the import takes seconds; definitions load without it
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations import Expectation


def warm_up() -> None:
    """Import Great Expectations beside other work; it takes seconds, and DuckDB's work needs no Python."""
    threading.Thread(target=importlib.import_module, args=("great_expectations",), daemon=True).start()


@dataclass(frozen=True)
class Batch:
    """What a suite looks at: a table, or a query whose columns `index` say which row an expectation means."""

    name: str
    expectations: list["Expectation"]
    query: str | None = None
    index: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One expectation that did not hold. `rows` hold the index columns of the rows it did not hold for."""

    batch: str
    message: str
    rows: list[dict[str, Any]] = field(default_factory=list)


def validate(database: Path, gate: str, batches: list[Batch], docs: Path) -> list[Finding]:
    """Validate every batch read-only and build `docs/<gate>/index.html`; returns what did not hold."""
    import great_expectations as gx

    from orchestration.buffered_duckdb import SCHEME, close_all

    warnings.filterwarnings("ignore", module="great_expectations")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    site = docs / gate
    shutil.rmtree(site, ignore_errors=True)
    context.add_data_docs_site(
        "local",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "site_section_builders": {"expectations": "None", "profiling": "None"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site)},
        },
    )
    source = context.data_sources.add_sql(
        "duckdb",
        connection_string=f"{SCHEME}:///{database}",
        kwargs={"connect_args": {"read_only": True}},
        create_temp_table=False,
    )
    findings = []
    try:
        for batch in batches:
            if batch.query:
                asset = source.add_query_asset(batch.name, query=f"select * from ({batch.query})")
            else:
                asset = source.add_table_asset(batch.name, table_name=batch.name)
            suite = context.suites.add(gx.ExpectationSuite(name=batch.name, expectations=batch.expectations))
            definition = context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=batch.name, data=asset.add_batch_definition_whole_table("all"), suite=suite
                )
            )
            result_format = {"result_format": "COMPLETE", "unexpected_index_column_names": list(batch.index)}
            result = definition.run(result_format=result_format if batch.index else "BASIC")
            findings += [_finding(batch, failed) for failed in result.results if not failed.success]
    finally:
        close_all()
    context.build_data_docs(build_index=False)  # make_self_contained writes one
    verdicts = {batch.name: [f.message for f in findings if f.batch == batch.name] for batch in batches}
    make_self_contained(site, gate, verdicts)
    return findings


def _finding(batch: Batch, failed: "ExpectationValidationResult") -> Finding:
    config = failed.expectation_config
    if failed.exception_info and "exception_message" not in failed.exception_info:
        raise RuntimeError(f"{batch.name}: {config.type} could not be run: {failed.exception_info}")
    if failed.exception_info and failed.exception_info.get("raised_exception"):
        raise RuntimeError(f"{batch.name}: {config.type} could not be run: {failed.exception_info}")
    observed = failed.result.get("observed_value")
    return Finding(
        batch=batch.name,
        message=config.description + (f", but it is {observed:,.6g}" if isinstance(observed, int | float) else ""),
        rows=failed.result.get("unexpected_index_list") or [],
    )
