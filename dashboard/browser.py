"""A server of the dashboard and a browser to look at it: for the tests and for the pictures in docs/."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from dashboard.serve import command
from orchestration.settings import PROJECT_DIR

SIZE = {"width": 1380, "height": 900}
STARTS_WITHIN = 60  # seconds


def chromium() -> str | None:
    """The browser of the machine; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def served(data: Path, log: Path, **environment: str) -> Iterator[str]:
    """The address of a dashboard over a data folder, as long as it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as output:
        process = subprocess.Popen(
            command("127.0.0.1", port),
            cwd=PROJECT_DIR,
            env={**os.environ, "INFLIGHT_DATA": str(data), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextlib.contextmanager
def browsed(zoom: float = 1.0) -> Iterator["object"]:
    """A browser of Playwright's in which pages can be opened. As root Chromium starts only without its sandbox."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*flags, "--disable-dev-shm-usage"])
        try:
            yield browser.new_context(viewport=SIZE, device_scale_factor=zoom, locale="en-GB", accept_downloads=True)
        finally:
            browser.close()


def settle(page) -> None:
    """Wait until the page at hand has been drawn to its end."""
    page.wait_for_selector("h1.if-headline", timeout=30_000)
    page.wait_for_function(
        """() => !document.querySelector('[data-testid="stStatusWidget"]')
            && document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== 'running'""",
        timeout=30_000,
    )
    page.wait_for_timeout(300)


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the dashboard did not start:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the dashboard did not answer within {STARTS_WITHIN} s:\n{log.read_text()[-2000:]}")
