"""Pull what changed since the last pull, as files that appear under extracts/ all at once or not at all.

Below `pull/<crm>/` of the data folder:

    state.json       per file, up to when it has been pulled
    run/             a pull under way: the files so far, and in progress.json the next request of the one being read

A pull that is stopped, by an error or a kill, goes on with that request; a line that was being written is cut off.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from orchestration.pull.apis import APIS, Resource
from orchestration.pull.client import Client, Gone, NotGranted, PullError, Request
from orchestration.settings import Settings

OVERLAP = timedelta(minutes=10)  # asked for again: clocks differ, and CRMs write late; landing knows repeats
STALE = timedelta(hours=24)  # a pull stopped longer ago begins anew: cursors have expired by then


def pull(
    settings: Settings,
    crm: str,
    full: bool = False,
    env: Mapping[str, str] = os.environ,
    say: Callable[[str], None] = lambda _: None,
    connect: Callable[[Mapping[str, str]], Client] | None = None,
) -> Path:
    """Pull `crm` into a new folder of extracts, and return that; `full` asks for all, not for what changed.

    Raises PullError. Nothing that `env` holds is written anywhere.
    """
    api = APIS[crm]
    client = (connect or api.connect)(env)
    with _alone(settings, crm) as folder:
        run = Run(folder, full)
        for resource in api.resources:
            if resource.name not in run.done:
                say(f"{resource.name}: {run.read(client, resource)}")
        return run.hand_over(settings.extracts / crm, client)


@contextmanager
def _alone(settings: Settings, crm: str) -> Iterator[Path]:
    folder = settings.data / "pull" / crm
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PullError(f"another pull of {crm} is at work; wait for it to end, or stop it") from None
        yield folder


class Run:
    """A pull under way, on disk after every page."""

    def __init__(self, folder: Path, full: bool) -> None:
        self.folder = folder
        self.files = folder / "run" / "files"
        self.progress_path = folder / "run" / "progress.json"
        self.state: dict[str, str] = _read(folder / "state.json")
        self.progress = _read(self.progress_path)
        if not self._can_go_on(full):
            shutil.rmtree(folder / "run", ignore_errors=True)
            self.progress = {"started_at": _now().isoformat(), "full": full, "done": {}, "current": None}
            self.files.mkdir(parents=True)
            self._save()

    def _can_go_on(self, full: bool) -> bool:
        """Whether a pull of this kind was stopped not long ago; files that are gone were handed over."""
        if not self.progress or not self.files.exists() or self.progress["full"] != full:
            return False
        return _now() - datetime.fromisoformat(self.progress["started_at"]) <= STALE

    @property
    def done(self) -> dict[str, int]:
        """Pages read, by resource."""
        return self.progress["done"]

    def read(self, client: Client, resource: Resource) -> str:
        """Read what is left of one resource; returns in words what was read."""
        since = self._since(resource)
        current = self.progress["current"]
        path = self.files / f"{resource.name}{'.delta' if since else ''}.jsonl"
        try:
            if not current or _size(path) < current["bytes"]:
                request: Request | None = resource.first(client, since)
                current = {"request": request.to_json(), "bytes": 0, "pages": 0}
            request = Request(**current["request"])
            with path.open("ab") as file:
                file.truncate(current["bytes"])
                while request:
                    request = self._page(client, resource, request, file)
                    current = {
                        "request": request and request.to_json(),
                        "bytes": file.tell(),
                        "pages": current["pages"] + 1,
                    }
                    self.progress["current"] = current if request else None
                    if not request:
                        self.done[resource.name] = current["pages"]
                    self._save()
        except NotGranted:
            if not resource.is_optional:
                raise
            path.unlink(missing_ok=True)
            self.progress["current"] = None
            self.done[resource.name] = 0
            self._save()
            return "skipped, the token gives no access to it"
        return f"{current['pages']} pages{f', changed since {since:%F %T}' if since else ''}"

    def hand_over(self, extracts: Path, client: Client) -> Path:
        """Move the files to where landing finds them, in one step; the next pull begins where this one did."""
        began = (datetime.fromisoformat(self.progress["started_at"]) - OVERLAP).isoformat()
        # the API's clock too: no row is dated after its extract
        taken_at = max(_now(), client.clock or _now()) + timedelta(seconds=1)
        while (target := extracts / f"{taken_at:%Y-%m-%dT%H%M%S}").exists():
            taken_at += timedelta(seconds=1)
        extracts.mkdir(parents=True, exist_ok=True)
        _write(
            self.folder / "state.json", {**self.state, **{name: began for name, pages in self.done.items() if pages}}
        )
        os.replace(self.files, target)
        shutil.rmtree(self.folder / "run")
        return target

    def _since(self, resource: Resource) -> datetime | None:
        pulled = self.state.get(resource.name)
        if not pulled or self.progress["full"] or not resource.is_incremental:
            return None
        return datetime.fromisoformat(pulled)

    def _page(self, client: Client, resource: Resource, request: Request, file: IO[bytes]) -> Request | None:
        """Append one page to the file, one line an answer; returns the next request."""
        answer = client.read(request)
        details = list(resource.details(request, answer))
        if not details:
            _append(file, answer)
        for detail in details:
            following: Request | None = detail
            while following:
                try:
                    found = client.read(following)
                except Gone:  # deleted since the page was read
                    break
                _append(file, resource.wrap(found))
                following = resource.next_detail(following, found)
        file.flush()
        return resource.next(request, answer)

    def _save(self) -> None:
        _write(self.progress_path, self.progress)


def _append(file: IO[bytes], answer: Any) -> None:
    file.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(path: Path, value: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value))
    os.replace(part, path)
