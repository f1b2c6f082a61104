"""A PostgreSQL of the tests' own: in a temporary folder, on a free port of 127.0.0.1, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

PASSWORD = "s3cr3t pässword/@"
PASSWORD_IN_URL = "s3cr3t%20p%C3%A4ssword%2F%40"


@dataclass
class Server:
    folder: Path
    port: int
    programs: Path
    user: str | None  # PostgreSQL refuses to run as root
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"postgresql://owner:{PASSWORD_IN_URL}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder.parent / "log").open("a")
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder, *options], user=self.user, stdout=log, stderr=log
        )
        give_up = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > give_up or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process = None


@pytest.fixture(scope="module")
def postgres():
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    user = _other_user() if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="inflight-postgres-"))
    try:
        (home / "password").write_text(PASSWORD)
        if user:
            for path in (home, home / "password"):
                shutil.chown(path, user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = Server(home / "data", port, programs, user)
        options = ["--auth=scram-sha-256", "--username=owner", f"--pwfile={home / 'password'}", "--encoding=UTF8"]
        command = [programs / "initdb", "-D", server.folder, *options, "--no-sync", "--locale=C"]
        subprocess.run(command, user=user, check=True, capture_output=True)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _programs() -> Path | None:
    """Where the server's programs lie; Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


def _other_user() -> str:
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
