"""Data Docs link style sheets and scripts from the web; here the pages are made readable without a network."""

import re
from html import escape
from pathlib import Path

REMOTE = re.compile(
    r"""<script[^>]*\bsrc=["'](?:https?:)?//[^>]*>\s*</script>|<(?:link|img)[^>]*\b(?:href|src)=["'](?:https?:)?//[^>]*>""",
    re.S,
)
FOOTER = re.compile(r"<footer.*?</footer>", re.S)
STYLE = """<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; color: #1d2733; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { border: 1px solid #d5dbe1; padding: .3rem .5rem; text-align: left; vertical-align: top; }
th { background: #f2f5f7; }
a { color: #1558a6; }
nav ul, .breadcrumb { list-style: none; padding: 0; display: flex; gap: .5rem; flex-wrap: wrap; }
.modal, .navbar-toggler, button, svg { display: none; }
.fa-check-circle::before { content: "\\2714"; color: #17803d; }
.fa-times::before, .fa-times-circle::before { content: "\\2718"; color: #b3261e; }
.fa-exclamation-triangle::before { content: "\\26A0"; color: #9a6700; }
</style>"""


def make_self_contained(site: Path, gate: str, verdicts: dict[str, list[str]]) -> None:
    """Take every link to the web out of the pages below `site`, and write an index that needs no script.

    `verdicts` maps a batch to what did not hold of it.
    """
    for page in site.rglob("*.html"):
        html = FOOTER.sub("", REMOTE.sub("", page.read_text()))
        page.write_text(html.replace("</head>", STYLE + "\n</head>", 1))
    rows = []
    for name, failed in verdicts.items():
        page = next(iter(site.glob(f"validations/{name}/**/*.html")), None)
        link = f'<a href="{page.relative_to(site).as_posix()}">{escape(name)}</a>' if page else escape(name)
        verdict = "<br>".join(escape(message) for message in failed) or "passed"
        mark = "times" if failed else "check-circle"
        rows.append(f'<tr><td>{link}</td><td><i class="fa-{mark}"></i> {verdict}</td></tr>')
    title = gate.replace("_", " ").capitalize()
    (site / "index.html").write_text(
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>{STYLE}</head>"
        f"<body><h1>{title}</h1><table><tr><th>Checked</th><th>Result</th></tr>{''.join(rows)}</table></body></html>"
    )
