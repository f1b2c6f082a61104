"""One CRM's API: requests at its pace, tried again where that may help, and errors that never show a secret."""

import email.utils
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from dlt.sources.helpers.requests import Client as Retrying

ATTEMPTS = 8
LONGEST_WAIT = 120.0  # seconds between two attempts, whatever the API asks for


class PullError(Exception):
    """The pull cannot go on; the message says why and what to do. What was read so far is kept."""


class NotGranted(PullError):
    """The API has no such object for this token."""


class Gone(NotGranted):
    """There is nothing at this address, or not any more."""


@dataclass(frozen=True)
class Request:
    """One request, as it can be kept on disk: without the address of the API and without secrets."""

    path: str
    params: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Client:
    """An API at `url`. `headers` hold the token, or `authorize` fetches one; the address itself may be secret."""

    crm: str
    url: str
    headers: dict[str, str]
    interval: float  # seconds between two requests
    token_name: str  # the environment variable to put a new token into
    authorize: Callable[["Client"], str] | None = None
    backoff: float = 1.0
    clock: datetime | None = None  # the API's own, UTC

    def __post_init__(self) -> None:
        self._http = Retrying(
            raise_for_status=False,
            request_max_attempts=ATTEMPTS,
            request_backoff_factor=self.backoff,
            request_max_retry_delay=LONGEST_WAIT,
            retry_condition=lambda response, _: response is not None and response.ok and answer_of(response) is None,
        )
        self._last_at = 0.0

    def read(self, request: Request) -> Any:
        """The answer to `request`; [] where the API says that there is nothing (204)."""
        if self.authorize and "Authorization" not in self.headers:
            self.headers["Authorization"] = f"Bearer {self.authorize(self)}"
        response = self.send(request.path, params=request.params, body=request.body)
        if response.status_code == 401 and self.authorize:
            # tokens of a few hours expire in the middle of a long pull
            self.headers["Authorization"] = f"Bearer {self.authorize(self)}"
            response = self.send(request.path, params=request.params, body=request.body)
        if not 200 <= response.status_code < 300:
            raise self._error(request, response)
        answer = answer_of(response)
        if answer is None:
            raise PullError(
                f"{self.crm}: {request.path}: the answer breaks off or is no JSON, {ATTEMPTS} times in a row"
            )
        return answer

    def send(self, path: str, params: dict | None = None, body: dict | None = None, form: dict | None = None):
        """One request at the API's pace. The body is read whole here, so that a cut connection is tried again."""
        time.sleep(max(0.0, self._last_at + self.interval - time.monotonic()))
        try:
            response = self._http.session.request(
                "GET" if body is None and form is None else "POST",
                f"{self.url.rstrip('/')}/{path.lstrip('/')}",
                params=params,
                json=body,
                data=form,
                headers=self.headers,
                allow_redirects=False,  # a token goes to no other address
            )
        except requests.RequestException as error:
            # its text holds the address, which may be secret
            raise PullError(
                f"{self.crm}: {path}: no whole answer in {ATTEMPTS} attempts ({type(error).__name__}); "
                "run the same command again, it goes on where it stopped"
            ) from None
        finally:
            self._last_at = time.monotonic()
        date = email.utils.parsedate_tz(response.headers.get("Date", ""))
        if date:
            self.clock = datetime.fromtimestamp(email.utils.mktime_tz(date), UTC).replace(tzinfo=None)
        return response

    def _error(self, request: Request, response: requests.Response) -> PullError:
        where = f"{self.crm}: {request.path}: {response.status_code}"
        if response.status_code == 401:
            return PullError(
                f"{where}: the token is not valid, or has expired; put a new one into {self.token_name} and run the "
                "same command again, it goes on where it stopped"
            )
        if response.status_code == 404:
            return Gone(f"{where}: there is no such thing, or the token gives no access to it")
        if response.status_code == 403:
            return NotGranted(f"{where}: the token gives no access to this")
        if response.status_code == 429 or response.status_code >= 500:
            return PullError(
                f"{where}, {ATTEMPTS} times in a row; run the same command later, it goes on where it stopped"
            )
        return PullError(f"{where}: {self._hide(response.text[:300])}")

    def _hide(self, text: str) -> str:
        """`text` without what is secret: tokens, and of an address that holds one every part of its path."""
        parts = [part for part in urlsplit(self.url).path.split("/") if len(part) >= 8]
        for secret in [self.url, *parts, *(value.removeprefix("Bearer ") for value in self.headers.values())]:
            text = text.replace(secret, "***")
        return text


def answer_of(response: requests.Response) -> Any:
    """The JSON of an answer; [] for an empty one, None for what is no whole JSON."""
    if response.status_code == 204 or not response.content.strip():
        return []
    try:
        return json.loads(response.content)
    except ValueError:
        return None
