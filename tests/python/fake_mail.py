"""A mail server on this machine that keeps what it is given, and refuses on demand."""

import base64
import email
import email.policy
import socketserver
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any


@dataclass
class FakeMail:
    """`faults` says with which answer the n-th letter from now is refused, as "451 later"; `unknown`, whose mail is."""

    faults: dict[int, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    letters: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    attempts: int = 0

    def __enter__(self) -> "FakeMail":
        mail = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 ready")
                while line := self.rfile.readline():
                    command, _, rest = line.decode().strip().partition(" ")
                    if not mail.answer(self, command.upper(), rest):
                        return

            def say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *args: Any) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler: Any, command: str, rest: str) -> bool:
        """Answer one command; false at the end of the talk."""
        if command == "EHLO":
            handler.say("250-here")
            handler.say("250 AUTH PLAIN")
        elif command == "AUTH":
            _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
            self.logins.append((user, password))
            handler.say("235 welcome")
        elif command == "DATA":
            self.data(handler)
        elif command == "RCPT" and any(f"<{address}>" in rest for address in self.unknown):
            handler.say("550 nobody of that name")
        elif command == "QUIT":
            handler.say("221 bye")
            return False
        else:
            handler.say("250 fine")
        return True

    def data(self, handler: Any) -> None:
        handler.say("354 go on")
        lines = []
        while (line := handler.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        self.attempts += 1
        if fault := self.faults.get(self.attempts):
            handler.say(fault)
            return
        self.letters.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
        handler.say("250 taken")
