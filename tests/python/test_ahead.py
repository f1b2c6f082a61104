"""The dbt that is started ahead is used once, and only while it knows the project as it is."""

import pytest

from orchestration.defs.warehouse import ahead


class Process:
    """A process that is never really started."""

    def __init__(self, *_: object, **__: object) -> None:
        self.ended: int | None = None

    def poll(self) -> int | None:
        return self.ended

    def kill(self) -> None:
        self.ended = -9


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead.subprocess, "Popen", Process)
    monkeypatch.setattr(ahead, "fingerprint", lambda _: "as it was")
    monkeypatch.setattr(ahead, "_waiting", None)


def test_the_one_that_waits_is_taken_once():
    ahead.start_ahead()
    waiting = ahead._waiting
    ahead.start_ahead()  # a step that is tried again
    assert ahead.take() is waiting
    assert ahead.take() is not waiting


def test_one_that_knows_an_older_project_is_ended(monkeypatch: pytest.MonkeyPatch):
    ahead.start_ahead()
    waiting = ahead._waiting
    monkeypatch.setattr(ahead, "fingerprint", lambda _: "as it is")
    assert ahead.take() is not waiting
    assert waiting.process.poll() is not None


def test_one_that_has_died_is_not_used():
    ahead.start_ahead()
    waiting = ahead._waiting
    waiting.process.kill()
    assert ahead.take() is not waiting
