"""Leading indicators: what dbt must be told of them before it reads the project, and the files of a new one."""

import re
from pathlib import Path

from orchestration.settings import PROJECT_DIR

FOLDER = Path("models/marts/indicators")
REFS = Path("macros/indicator_refs.sql")

REFS_TEMPLATE = """{{#
    Written by inflight from the files {folder}/ind_*.sql; do not edit. dbt has to know before it
    reads a model which others it reads, and its graph is not there yet.
#}}
{{% macro indicator_refs() -%}}
    {{%- do [
{refs}
    ] -%}}
{{%- endmacro %}}
"""

SQL_TEMPLATE = """-- TODO: one sentence on what counts, and since when it is known. This example counts calls.
with calls as (
    select
        deal_id,
        greatest(occurred_at, logged_at) as changed_at,
        count(*) as calls
    from {{ ref('crm_activities') }}
    where activity_type = 'call' and {{ is_touched('deal_id') }}
    group by deal_id, greatest(occurred_at, logged_at)
)

select
    deal_id,
    changed_at,
    cast(sum(calls) over (partition by deal_id order by changed_at) as double) as value,
    (select newest_load_id from {{ ref('stg_as_of') }}) as _load_id
from calls
"""

YAML_TEMPLATE = """
  - name: ind_{name}
    description: "Grain: one row per deal and moment at which the value changed. TODO: what the value is."
    config:
      meta:
        label: calls made
        question: TODO, what does it answer?
        unit: calls
        influence: input
        direction: higher
        owner: sales
        default: 0
        needs: activity
    columns: *step_function
"""

UNIT_TEST_TEMPLATE = """
  - name: {name}_counts_calls_since_the_crm_knows_of_them
    model: ind_{name}
    overrides: *built
    given:
      - {{input: ref('stg_as_of'), rows: *night}}
      - input: ref('crm_activities')
        rows:
          - {{deal_id: d1, activity_type: call, occurred_at: 2026-01-05 09:00:00, logged_at: 2026-01-06 09:00:00}}
          - {{deal_id: d1, activity_type: email, occurred_at: 2026-01-07 09:00:00, logged_at: 2026-01-07 09:00:00}}
    expect:
      rows:
        - {{deal_id: d1, changed_at: 2026-01-06 09:00:00, value: 1}}  # not the day before
"""


class IndicatorError(Exception):
    """The indicator cannot be written; the message says why."""


def write_refs(project: Path = PROJECT_DIR) -> bool:
    """Bring the macro that names all indicators in line with the files there are; true if it was not."""
    names = sorted(path.stem for path in (project / FOLDER).glob("ind_*.sql"))
    refs = ",\n".join(f"        ref('{name}')" for name in names)
    text = REFS_TEMPLATE.format(folder=FOLDER, refs=refs)
    path = project / REFS
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    return True


def write_indicator(name: str, project: Path = PROJECT_DIR) -> list[Path]:
    """Write an indicator that counts calls, to be changed: SQL, YAML and a unit test. Returns the files to edit."""
    name = name.removeprefix("ind_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise IndicatorError(f"{name!r} is no name: small letters and digits, with underscores between words")
    folder = project / FOLDER
    sql = folder / f"ind_{name}.sql"
    if sql.exists():
        raise IndicatorError(f"{sql.relative_to(project)} is there already")
    sql.write_text(SQL_TEMPLATE)
    models, unit_tests = folder / "_indicators__models.yml", folder / "_indicators__unit_tests.yml"
    for path, template in ((models, YAML_TEMPLATE), (unit_tests, UNIT_TEST_TEMPLATE)):
        path.write_text(path.read_text().rstrip("\n") + "\n" + template.format(name=name))
    write_refs(project)
    return [sql, models, unit_tests]
