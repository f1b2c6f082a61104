"""A metric has one definition: mf on the published file gives what plain SQL on it gives. Its page says the same."""

import ast
import csv
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.defs.warehouse.project import is_mart, manifest
from orchestration.docs import METRICS_PAGE, metrics_page
from orchestration.metrics import semantic_manifest
from orchestration.settings import PROJECT_DIR, Settings
from tests.python.models import give_project

# The same figures by month, in plain SQL.
BY_MONTH = {
    "deals_created": "select date_trunc('month', created_at), count(*) from fct_deals group by 1",
    "deals_won": "select date_trunc('month', won_at), count(*) from fct_deals where won_at is not null group by 1",
    "deals_lost": "select date_trunc('month', lost_at), count(*) from fct_deals where status = 'lost' group by 1",
    "won_amount": "select date_trunc('month', won_at), sum(amount) from fct_deals where status = 'won' group by 1",
    "average_won_amount": """
        select date_trunc('month', won_at), sum(amount) / count(*) from fct_deals where status = 'won' group by 1""",
    "win_rate_of_closed": """
        select month, count(*) filter (status = 'won') / count(*)
        from (select status, date_trunc('month', coalesce(won_at, lost_at)) as month from fct_deals)
        where status in ('won', 'lost') group by 1 having count(*) filter (status = 'won') > 0
            and count(*) filter (status = 'lost') > 0""",
    "win_rate_expected": """
        select cohort_month, sum(expected_won) / sum(created) from cohort_deal_outcomes
        where expected_won is not null group by 1""",
    "open_pipeline_amount": """
        select date_trunc('month', date_day), sum(closing_amount) from fct_pipeline_movements
        where date_day in (select max(date_day) from fct_pipeline_movements group by date_trunc('month', date_day))
        group by 1""",
    "stage_conversion_so_far": """
        select cohort_month, sum(advanced) / sum(entered) from cohort_stage_conversion group by 1""",
    "stage_conversion_expected": """
        select cohort_month, sum(entered * conversion_expected) / sum(entered) from cohort_stage_conversion
        where conversion_expected is not null group by 1""",
    "steps_on_time_share": """
        select date_trunc('month', due_at), avg(is_on_time::int) from fct_journey_steps
        group by 1 having count(is_on_time) > 0""",
    "median_days_in_stage": """
        select date_trunc('month', exited_at), median(days_in_stage) from fct_stage_visits
        where exited_at is not null group by 1""",
    "sales_cycle_days": """
        select date_trunc('month', won_at), avg(days_to_win) from fct_deals where status = 'won' group by 1""",
}
BY_SEGMENT = {
    "deals_created": "select segment, count(*) from dim_deals group by 1",
    "won_amount": "select segment, sum(amount) from dim_deals where status = 'won' group by 1",
}
BY_STAGE = {
    "stage_entries": "select stage, sum(entered) from cohort_stage_conversion natural join dim_stages group by 1",
    "stage_conversion_expected": """
        select stage, sum(entered * conversion_expected) / sum(entered)
        from cohort_stage_conversion inner join dim_stages using (stage_id)
        where conversion_expected is not null group by 1""",
}
# What the dashboard's own queries call them.
ON_TODAY = {
    "open_pipeline_amount": "closing_amount",
    "open_pipeline_deals": "closing_deals",
    "pipeline_created_amount": "created_amount",
    "pipeline_created_deals": "created_deals",
    "pipeline_won_amount": "won_amount",
    "pipeline_won_deals": "won_deals",
    "pipeline_lost_amount": "lost_amount",
    "pipeline_lost_deals": "lost_deals",
}
ON_FUNNEL = {
    "stage_entries": "entered",
    "stage_advances": "advanced",
    "stage_conversion_expected": "conversion_expected",
}
ON_TEAM = {"steps_judged": "total", "steps_on_time": "n"}
ON_SEGMENTS = {"win_rate_expected": "value", "cohort_deals_foreseen": "n"}
BY_TEAM = "owner__team"
BY_MONTH_AND_SEGMENT = "metric_time__month,deal_cohort__segment"
BY_CURRENCY = "metric_time__month,pipeline_day__currency"
BY_COHORT = "metric_time__month,stage,stage_cohort__segment"
QUERIES = {"metric_time__month": BY_MONTH, "deal__segment": BY_SEGMENT, "stage__stage_name": BY_STAGE}
ASK = "import json, sys; from orchestration.metrics import mf; from orchestration.settings import Settings; "
ASK += "Settings.from_env().export(); mf(Settings.from_env(), *json.loads(sys.argv[1]))"


@pytest.fixture(scope="module")
def answers(first_night: Path, tmp_path_factory) -> dict[str, list[dict[str, str]]]:
    """What `mf query` says, in one process for all queries; a group -> its rows."""
    folder = tmp_path_factory.mktemp("mf")
    (folder / "published").symlink_to(first_night / "published")
    give_project(Settings(folder))
    asked = {
        **QUERIES,
        BY_CURRENCY: ON_TODAY,
        BY_COHORT: ON_FUNNEL,
        BY_TEAM: ON_TEAM,
        BY_MONTH_AND_SEGMENT: ON_SEGMENTS,
    }
    commands = [
        ["query", "--metrics", ",".join(metrics), "--group-by", group, "--csv", str(folder / f"{group}.csv")]
        for group, metrics in asked.items()
    ]
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(commands)],
        cwd=PROJECT_DIR,
        env={**os.environ, "INFLIGHT_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return {group: list(csv.DictReader((folder / f"{group}.csv").open())) for group in asked}


@pytest.mark.slow
@pytest.mark.parametrize("group", QUERIES)
def test_mf_gives_what_plain_sql_on_the_published_file_gives(answers, first_night: Path, group: str):
    with duckdb.connect(str(first_night / "published" / "inflight.duckdb"), read_only=True) as con:
        for metric, sql in QUERIES[group].items():
            expected = {str(key)[:10]: float(value) for key, value in con.execute(sql).fetchall() if key}
            asked = {row[group][:10]: float(row[metric]) for row in answers[group] if row[metric]}
            asked = {key: value for key, value in asked.items() if key in expected or value}
            assert asked == pytest.approx(expected), metric
            assert len(expected) > 2, metric


def query_of(page: str, name: str) -> str:
    """A query of a page of the dashboard, read from its text: to import a page is to show it."""
    statements = ast.parse((PROJECT_DIR / "dashboard" / "views" / f"{page}.py").read_text()).body
    constants = [each for each in statements if isinstance(each, ast.Assign) and each.targets[0].id.isupper()]
    values: dict[str, str] = {}
    for each in constants:
        with suppress(NameError):  # a constant of other things
            exec(compile(ast.Module([each], []), page, "exec"), values)
    return values[name]


@pytest.mark.slow
def test_the_dashboard_shows_what_mf_says_of_the_pipeline(answers, first_night: Path):
    """Eight metrics by month and currency, by the query of its first page."""
    moves = query_of("today", "MOVES")
    everybody = dict.fromkeys(("pipeline", "segment", "team"))
    shown = {}
    with duckdb.connect(str(first_night / "published" / "inflight.duckdb"), read_only=True) as con:
        for month, first, last in con.execute("""
            select date_trunc('month', date_day), min(date_day), max(date_day) from fct_pipeline_movements group by 1
        """).fetchall():
            for row in con.execute(moves, {"first": first, "last": last, **everybody}).df().to_dict("records"):
                shown[f"{month:%F}", row["currency"]] = [float(row[column]) for column in ON_TODAY.values()]
    asked = {
        (row["metric_time__month"][:10], row["pipeline_day__currency"]): [float(row[metric]) for metric in ON_TODAY]
        for row in answers[BY_CURRENCY]
    }
    assert asked.keys() == shown.keys()
    for key, figures in shown.items():
        assert asked[key] == pytest.approx(figures), key


@pytest.mark.slow
def test_the_dashboard_shows_what_mf_says_of_the_funnel(answers, first_night: Path):
    """Three metrics of each cohort, by the query of its funnel."""
    by_segment = query_of("funnel", "BY_SEGMENT")
    shown = {}
    with duckdb.connect(str(first_night / "published" / "inflight.duckdb"), read_only=True) as con:
        for (segment,) in con.execute("select distinct segment from cohort_stage_conversion").fetchall():
            for row in con.execute(by_segment, {"segment": segment}).df().to_dict("records"):
                key = (f"{row['cohort_month']:%F}", row["stage_id"], segment)
                shown[key] = [row[column] for column in ON_FUNNEL.values()]
    asked = {
        (row["metric_time__month"][:10], row["stage"], row["stage_cohort__segment"]): [
            float(row[metric] or "nan") for metric in ON_FUNNEL
        ]
        for row in answers[BY_COHORT]
    }
    assert asked.keys() == shown.keys()
    for key, figures in shown.items():
        assert asked[key] == pytest.approx(figures, nan_ok=True), key


EVER = {"since": date(1900, 1, 1), **dict.fromkeys(("pipeline", "segment", "team", "step"))}


def bound(sql: str) -> dict[str, object]:
    return {name: value for name, value in EVER.items() if f"${name}" in sql}


@pytest.mark.slow
def test_the_dashboard_shows_what_mf_says_of_steps_in_time(answers, first_night: Path):
    steps = query_of("team", "STEPS").format(in_pipeline="")
    with duckdb.connect(str(first_night / "published" / "inflight.duckdb"), read_only=True) as con:
        shown = con.execute(f"select team, sum(total), sum(n) from ({steps}) group by 1", bound(steps)).fetchall()
    told = [(row[BY_TEAM] or "unknown", [float(row[metric]) for metric in ON_TEAM]) for row in answers[BY_TEAM]]
    assert len(shown) > 2
    # a step without an owner and one of an owner without a team are both nobody's: only one of them has figures here
    asked = [(team, figures) for team, figures in told if any(figures)]
    assert sorted((team, [float(due), float(done)]) for team, due, done in shown) == sorted(asked)


@pytest.mark.slow
def test_the_dashboard_shows_what_mf_says_of_expected_wins(answers, first_night: Path):
    outcomes = query_of("segments", "OUTCOMES")
    with duckdb.connect(str(first_night / "published" / "inflight.duckdb"), read_only=True) as con:
        rows = con.execute(outcomes, bound(outcomes)).df().to_dict("records")
    shown = {(f"{row['at']:%F}", row["segment"]): [row[name] for name in ON_SEGMENTS.values()] for row in rows}
    asked = {
        (row["metric_time__month"][:10], row["deal_cohort__segment"]): [float(row[metric]) for metric in ON_SEGMENTS]
        for row in answers[BY_MONTH_AND_SEGMENT]
        if row["win_rate_expected"]
    }
    assert len(shown) > 2
    assert asked.keys() == shown.keys()
    for key, figures in shown.items():
        assert asked[key] == pytest.approx(figures), key


def test_every_metric_says_its_question_its_traps_and_its_owner(settings: Settings):
    give_project(settings)
    metrics = json.loads(semantic_manifest(settings).read_text())["metrics"]
    assert len(metrics) >= 10
    for metric in metrics:
        assert metric["description"], metric["name"]
        assert metric["config"]["meta"].keys() >= {"question", "traps", "owner"}, metric["name"]


def test_the_page_of_metrics_is_what_the_yaml_says(settings: Settings):
    give_project(settings)
    assert METRICS_PAGE.read_text() == metrics_page(settings), "stale: run make docs"


def test_the_exposures_depend_on_what_they_read(settings: Settings):
    """The dashboard on the tables that its SQL names, BI tools on every mart."""
    give_project(settings)
    known = manifest(settings)
    marts = {node["name"] for node in known["nodes"].values() if is_mart(node)}
    exposed = {
        exposure["name"]: {unique_id.rsplit(".", 1)[-1] for unique_id in exposure["depends_on"]["nodes"]}
        for exposure in known["exposures"].values()
    }
    code = "".join(path.read_text() for path in (PROJECT_DIR / "dashboard").rglob("*.py"))
    assert exposed["dashboard"] == marts & set(re.findall(r"\b(?:from|join)\s+([a-z_]+)", code))
    assert exposed["bi"] == marts


def test_every_published_column_is_described(settings: Settings):
    give_project(settings)
    nodes = [node for node in manifest(settings)["nodes"].values() if is_mart(node)]
    bare = [node["name"] for node in nodes if not node["description"].startswith("Grain: one row per")]
    bare += [f"{node['name']}.{name}" for node in nodes for name, column in node["columns"].items()
             if not column["description"].strip()]  # fmt: skip
    assert not bare
    assert all(node["columns"] for node in nodes)
