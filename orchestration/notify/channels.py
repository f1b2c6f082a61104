"""The ways in which a message reaches people. Addresses and secrets come from the environment alone, see FROM_ENV.

A channel either delivers or raises ChannelError, whose text holds no secret. What may pass is tried again. What
arrived in part is not: those whom it reached would get it every night.
"""

import os
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import requests

ATTEMPTS = 3
PAUSE = 2.0  # seconds before the second attempt; twice that before the third
TIMEOUT = 20.0  # seconds
TELEGRAM = "https://api.telegram.org"
TELEGRAM_LIMIT = 4000  # characters of a message; the API takes 4096
LOOPBACK = ("127.0.0.1", "::1", "localhost")

SMTP_URL, MAIL_FROM, MAIL_TO = "NOTIFY_SMTP_URL", "NOTIFY_MAIL_FROM", "NOTIFY_MAIL_TO"
WEBHOOK_URL = "NOTIFY_WEBHOOK_URL"
TELEGRAM_TOKEN, TELEGRAM_CHAT, TELEGRAM_URL = "NOTIFY_TELEGRAM_TOKEN", "NOTIFY_TELEGRAM_CHAT", "NOTIFY_TELEGRAM_URL"


class ChannelError(Exception):
    """The message was not delivered; the text says why."""


class Passing(ChannelError):
    """The same, but another attempt may help."""


class InPart(ChannelError):
    """Not all of it, or not all recipients, were reached; the others were."""


@dataclass(frozen=True)
class Message:
    """`page` is a whole HTML file for those who can take one; others get the words."""

    subject: str
    text: str
    page: str | None = None
    page_name: str = "inflight.html"


class Channel(Protocol):
    name: str

    def send(self, message: Message) -> None:
        """Deliver, or raise ChannelError."""


@dataclass(frozen=True)
class Mail:
    """SMTP. `url` is smtp://user:password@host:port, or smtps:// for TLS from the first byte."""

    url: str
    sender: str
    recipients: tuple[str, ...]
    name: str = "e-mail"

    def send(self, message: Message) -> None:
        _insist(lambda: self._attempt(self._letter(message)))

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"] = " ".join(message.subject.split())
        letter["From"] = self.sender
        letter["To"] = ", ".join(self.recipients)
        letter["Date"] = formatdate()
        letter["Message-ID"] = make_msgid("inflight")
        letter.set_content(message.text)
        if message.page:
            letter.add_attachment(message.page.encode(), "text", "html", filename=message.page_name)
        return letter

    def _attempt(self, letter: EmailMessage) -> None:
        parts = urlsplit(self.url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        try:
            with self._connect(parts.scheme, parts.hostname or "", parts.port or 0) as server:
                if parts.scheme == "smtp" and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                    server.ehlo()
                elif parts.scheme == "smtp" and user and parts.hostname not in LOOPBACK:
                    raise ChannelError("the server offers no encryption, and the password is not sent without")
                if user:
                    server.login(user, password)
                refused = server.send_message(letter)
            if refused:
                raise InPart(f"refused for {len(refused)} of {len(self.recipients)} recipients")
        except smtplib.SMTPResponseException as error:
            kind = Passing if 400 <= error.smtp_code < 500 else ChannelError
            raise kind(_hidden(f"{error.smtp_code} {_decoded(error.smtp_error)}", self.url, user, password)) from None
        except smtplib.SMTPRecipientsRefused as error:
            raise ChannelError(f"refused for all {len(error.recipients)} recipients") from None
        except ssl.SSLCertVerificationError:
            raise ChannelError("the server's certificate cannot be trusted") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Passing(f"the server was not reached ({type(error).__name__})") from None

    def _connect(self, scheme: str, host: str, port: int) -> smtplib.SMTP:
        if scheme == "smtps":
            server = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port or 587, timeout=TIMEOUT)
        server.ehlo()
        return server


@dataclass(frozen=True)
class Webhook:
    """An address that takes {"text": …}, as Slack's, Mattermost's and Rocket.Chat's incoming webhooks do."""

    url: str
    name: str = "webhook"

    def send(self, message: Message) -> None:
        text = f"*{message.subject}*\n{message.text}"
        for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(mark, entity)
        _insist(lambda: _post(self.url, {"text": text}, secrets=(self.url, *_long_parts(self.url))))


@dataclass(frozen=True)
class Telegram:
    """A bot that writes into a chat it is a member of."""

    token: str
    chat: str
    url: str = TELEGRAM
    name: str = "Telegram"

    def send(self, message: Message) -> None:
        address = f"{self.url.rstrip('/')}/bot{self.token}/sendMessage"
        parts = list(_parts(f"{message.subject}\n\n{message.text}", TELEGRAM_LIMIT))
        for number, part in enumerate(parts):
            body = {"chat_id": self.chat, "text": part, "disable_web_page_preview": True}
            try:
                _insist(lambda body=body: _post(address, body, secrets=(address, self.token)))
            except ChannelError as error:
                raise InPart(f"{number} of {len(parts)} parts arrived; {error}") if number else error from None


@dataclass(frozen=True)
class Incomplete:
    """A channel of which only a part was told; so that it fails aloud rather than not at all."""

    name: str
    missing: str

    def send(self, message: Message) -> None:
        raise ChannelError(f"{self.missing} is not set")


def from_env() -> list[Channel]:
    """The channels that the environment names; none is an answer too."""
    given = {name: os.environ.get(name, "").strip() for name in (SMTP_URL, MAIL_FROM, MAIL_TO)}
    channels: list[Channel] = []
    if any(given.values()):
        missing = next((name for name in (SMTP_URL, MAIL_TO) if not given[name]), None)
        recipients = tuple(address.strip() for address in given[MAIL_TO].split(",") if address.strip())
        sender = given[MAIL_FROM] or (recipients[0] if recipients else "")
        channels.append(Incomplete("e-mail", missing) if missing else Mail(given[SMTP_URL], sender, recipients))
    if url := os.environ.get(WEBHOOK_URL, "").strip():
        channels.append(Webhook(url))
    token, chat = (os.environ.get(name, "").strip() for name in (TELEGRAM_TOKEN, TELEGRAM_CHAT))
    if token and chat:
        channels.append(Telegram(token, chat, os.environ.get(TELEGRAM_URL, "").strip() or TELEGRAM))
    elif token or chat:
        channels.append(Incomplete("Telegram", TELEGRAM_CHAT if token else TELEGRAM_TOKEN))
    return channels


def _insist(attempt: Callable[[], None]) -> None:
    """Up to three attempts, where another may help."""
    for left in reversed(range(ATTEMPTS)):
        try:
            return attempt()
        except Passing:
            if not left:
                raise
            time.sleep(PAUSE * (ATTEMPTS - left))


def _post(url: str, body: dict[str, Any], secrets: tuple[str, ...]) -> None:
    try:
        answer = requests.post(url, json=body, timeout=TIMEOUT, allow_redirects=False)  # a secret goes nowhere else
    except requests.RequestException as error:
        is_final = isinstance(error, ValueError)  # no address at all
        raise (ChannelError if is_final else Passing)(
            f"no answer ({type(error).__name__})"
        ) from None  # its own text holds the address
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Passing(f"the answer was {answer.status_code}")
    if not answer.ok or answer.is_redirect:
        raise ChannelError(f"the answer was {answer.status_code} {_hidden(answer.text, *secrets)[:200]}")


def _parts(text: str, limit: int) -> Iterator[str]:
    """The text in pieces of at most `limit` characters, cut between lines where that can be."""
    while len(text) > limit:
        cut = text.rfind("\n", 1, limit)
        cut = limit if cut < 0 else cut
        yield text[:cut]
        text = text[cut:].lstrip("\n")
    if text:
        yield text


def _long_parts(url: str) -> list[str]:
    """What of an address may be a secret by itself."""
    return [part for part in urlsplit(url).path.split("/") if len(part) >= 8]


def _hidden(text: str, *secrets: str) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return " ".join(text.split())


def _decoded(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text
