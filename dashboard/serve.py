"""Starts the server. It listens on this machine alone unless told otherwise, and then only with a password."""

import ipaddress
import os
import sys
from pathlib import Path

PASSWORD = "DASHBOARD_PASSWORD"
APP = Path(__file__).with_name("app.py")
OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "theme.base": "light",
    "theme.primaryColor": "#0f5c7a",
    "theme.backgroundColor": "#ffffff",
    "theme.secondaryBackgroundColor": "#f4f6f8",
    "theme.textColor": "#1b2733",
}


class ServeError(Exception):
    """The server may not start; the message says why."""


def listens_beyond_this_machine(address: str | None) -> bool:
    """Whether other machines reach a server at this address. None is every address there is."""
    if address == "localhost":
        return False
    try:
        return not ipaddress.ip_address(address or "0.0.0.0").is_loopback
    except ValueError:
        return True


def command(address: str, port: int) -> list[str]:
    """The command that starts the server; refuses another address than this machine's without a password."""
    if listens_beyond_this_machine(address) and not os.environ.get(PASSWORD):
        raise ServeError(f"{address} can be reached from other machines: set {PASSWORD} first, or listen on 127.0.0.1")
    options = {**OPTIONS, "server.address": address, "server.port": str(port)}
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "dashboard", *flags]
