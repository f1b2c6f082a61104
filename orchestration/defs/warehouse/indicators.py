"""Leading indicators: what dbt must be told of them before it reads the project."""

from pathlib import Path

from orchestration.settings import PROJECT_DIR

FOLDER = Path("models/marts/indicators")
REFS = Path("macros/indicator_refs.sql")

TEMPLATE = """{{#
    Written by inflight from the files {folder}/ind_*.sql; do not edit. dbt has to know before it
    reads a model which others it reads, and its graph is not there yet.
#}}
{{% macro indicator_refs() -%}}
    {{%- do [
{refs}
    ] -%}}
{{%- endmacro %}}
"""


def write_refs(project: Path = PROJECT_DIR) -> bool:
    """Bring the macro that names all indicators in line with the files there are; true if it was not."""
    names = sorted(path.stem for path in (project / FOLDER).glob("ind_*.sql"))
    refs = ",\n".join(f"        ref('{name}')" for name in names)
    text = TEMPLATE.format(folder=FOLDER, refs=refs)
    path = project / REFS
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    return True
