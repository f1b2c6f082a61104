"""What is written from the project itself: the page of metrics, and dbt's docs as one file that needs no network."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from orchestration.metrics import semantic_manifest
from orchestration.settings import PROJECT_DIR, Settings

METRICS_PAGE = PROJECT_DIR / "docs" / "metrics.md"
DEFINED = PROJECT_DIR / "models" / "marts" / "_semantic_models.yml"
SITE = PROJECT_DIR / "target" / "docs"
REMOTE = re.compile(
    r"""<(?:script|link)[^>]*\b(?:href|src)=["'](?:https?:)?//[^>]*>(?:\s*</script>)?|@import url\([^)]*\);?"""
)

HEAD = """# Metrics

Written by `make docs` from [models/marts/_semantic_models.yml](../models/marts/_semantic_models.yml), where each metric
is defined once. Ask for them with MetricFlow on what is published, read-only:

    inflight mf list metrics
    inflight mf list dimensions --metrics deals_won
    inflight mf query --metrics deals_won,won_amount --group-by metric_time__month,deal__segment

`inflight mf` is `mf`; what it knows, [its documentation](https://docs.getdbt.com/docs/build/metricflow-commands) says.
Expectations have intervals in the tables they come from: [Cohorts](cohorts.md). Of leading indicators
[`dim_indicators`](indicators.md) says the same.
"""


def metrics_page(settings: Settings) -> str:
    """The page of all metrics: question, formula, traps, owner and what each can be grouped by."""
    project = json.loads(semantic_manifest(settings).read_text())
    measures = {
        measure["name"]: (model, measure) for model in project["semantic_models"] for measure in model["measures"]
    }
    parts = [HEAD]
    order = [metric["name"] for metric in yaml.safe_load(DEFINED.read_text())["metrics"]]  # dbt keeps none
    for metric in sorted(project["metrics"], key=lambda each: order.index(each["name"])):
        meta = metric["config"]["meta"]
        parts.append(
            f"## {metric['label']}: `{metric['name']}`\n\n"
            f"**{meta['question']}** {metric['description']}\n\n"
            f"- Formula: {_formula(metric, measures)}\n- Traps: {meta['traps']}\n- Owner: {meta['owner']}\n"
        )
    return "\n".join(parts)


def _formula(metric: dict[str, Any], measures: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> str:
    of = metric["type_params"]
    if metric["type"] == "ratio":
        return f"`{of['numerator']['name']}` / `{of['denominator']['name']}`"
    if metric["type"] == "derived":
        return f"`{of['expr']}`"
    model, measure = measures[of["measure"]["name"]]
    day = measure["agg_time_dimension"] or model["defaults"]["agg_time_dimension"]
    formula = f"{measure['agg'].replace('_', ' ')} of `{measure['expr']}` in `{model['node_relation']['alias']}`"
    filters = [each["where_sql_template"] for each in (metric["filter"] or {}).get("where_filters", [])]
    where = [re.sub(r"\{\{ *Dimension\('\w+?__(\w+)'\) *\}\}", r"\1", each) for each in filters]
    formula += f" where `{' and '.join(where)}`" if where else ""
    last = measure["non_additive_dimension"]
    return f"{formula}, by `{day}`" + (f"; over a time, of its last `{last['name']}`" if last else "")


def write_docs(settings: Settings) -> tuple[Path, Path]:
    """Write docs/metrics.md and target/docs/index.html; returns both."""
    METRICS_PAGE.write_text(metrics_page(settings))
    dbt = str(Path(sys.executable).with_name("dbt"))
    command = [dbt, "docs", "generate", "--static", "--empty-catalog", "--target-path", str(SITE), "--quiet"]
    subprocess.run(command, cwd=PROJECT_DIR, check=True)
    site = SITE / "index.html"
    site.write_text(REMOTE.sub("", (SITE / "static_index.html").read_text()))
    return METRICS_PAGE, site
