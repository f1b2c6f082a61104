"""dbt, started before it is needed: it imports itself and reads the project on one core while files land on the other.

Run as a module it is that process. It touches no data before it is told what to do, and ends when whoever started it
has ended.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestration.defs.warehouse.project import PARSED, fingerprint, parsed
from orchestration.settings import PROJECT_DIR, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_waiting: "DbtAhead | None" = None


class DbtAhead:
    """A dbt that waits for its command. It knows the project as it was when it was started."""

    def __init__(self) -> None:
        self.project = fingerprint(PARSED)
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=PROJECT_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def is_usable(self) -> bool:
        return self.process.poll() is None and self.project == fingerprint(PARSED)

    def run(self, args: Sequence[str]) -> subprocess.Popen:
        """Let it run `dbt <args>`; the process writes dbt's events as lines of JSON."""
        self.process.args = ["dbt", *args]
        self.process.stdin.write(json.dumps(list(args)).encode() + b"\n")
        self.process.stdin.close()
        return self.process


def start_ahead() -> None:
    """Start dbt, to be used by the next `take`."""
    global _waiting
    _waiting = _waiting or DbtAhead()


def take() -> DbtAhead:
    """The dbt that was started ahead, if it still knows the project; else one that starts now."""
    global _waiting
    ahead, _waiting = _waiting, None
    if ahead and not ahead.is_usable:
        ahead.process.kill()
        ahead = None
    return ahead or DbtAhead()


def main() -> int:
    """Read the project, wait for a line with the arguments, run dbt with them; returns its exit code."""
    from dbt.cli.main import dbtRunner

    runner = dbtRunner(manifest=_read_project())
    line = sys.stdin.readline()
    if not line:
        return 0
    done = runner.invoke(json.loads(line))
    if done.exception:
        print(done.exception)
    return 0 if done.success else 2 if done.exception else 1


def _read_project() -> "Manifest | None":
    """What dbt kept of its last parsing, if no file has changed since; else None, and dbt reads the project itself."""
    from dbt.contracts.graph.manifest import Manifest

    settings = Settings.from_env()
    kept = settings.dbt_target / "partial_parse.msgpack"
    if not kept.exists() or parsed(settings) != fingerprint(PARSED):
        return None
    project = Manifest.from_msgpack(kept.read_bytes())
    project.build_flat_graph()
    return project


if __name__ == "__main__":
    sys.exit(main())
