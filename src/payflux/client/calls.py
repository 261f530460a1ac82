"""One call of the API: sent, sent again where that is safe, and its refusal as an error."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import msgspec

TRIES = 4
LONGEST_WAIT = 60.0
"""Seconds. Whoever is told to wait longer is told so by the error instead."""
FIRST_WAIT = 0.5
PASSING = (429, 502, 503, 504)
"""Statuses that say nothing was done, and that the same may succeed later."""


class Unreachable(Exception):
    """The API did not answer, after every try."""


class ApiError(Exception):
    """A refusal (RFC 9457). `code` is stable; `detail` and `way_out` are for people; `problem` is all of it."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status, self.problem = status, dict(problem)
        self.code: str = str(problem.get("code", ""))
        self.detail: str = str(problem.get("detail", "")) or f"HTTP status {status}"
        self.way_out: str = str(problem.get("way_out") or "")
        self.request_id: str = str(problem.get("request_id", ""))
        super().__init__(" ".join(part for part in (self.detail, self.way_out) if part))


class Calls:
    """Sends calls over one connection pool. `sleep` waits between tries."""

    def __init__(self, http: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http, self._sleep = http, sleep

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: object = None,
        lines: bytes | None = None,
        key: str | None = None,
        repeatable: bool | None = None,
    ) -> httpx.Response:
        """The answer. One that is `repeatable` (reading and deleting are) is sent again after an answer that was lost;
        any is after one that says that nothing was done. `key` becomes the Idempotency-Key of what changes something,
        else a random one does. `lines` is a body of JSON a line. Raises ApiError and Unreachable.
        """
        again = method in ("GET", "DELETE") if repeatable is None else repeatable
        headers = {} if method == "GET" else {"Idempotency-Key": key or str(uuid4())}
        if json is not None:
            headers["Content-Type"] = "application/json"
        elif lines is not None:
            headers["Content-Type"] = "application/x-ndjson"
        body = lines if json is None else msgspec.json.encode(json)
        wanted = {name: value for name, value in (query or {}).items() if value not in (None, "", [])}
        for number in range(1, TRIES + 1):
            try:
                answer = self._http.request(method, path, params=wanted, content=body, headers=headers)
            except httpx.TransportError as error:
                # a connection that was never made has carried nothing
                if number == TRIES or not (again or isinstance(error, httpx.ConnectError)):
                    raise Unreachable(f"{self._http.base_url} did not answer ({type(error).__name__}).") from error
                self._sleep(_backoff(number))
                continue
            if answer.is_success:
                return answer
            wait = _asked_wait(answer)
            passing = answer.status_code in PASSING and (again or answer.status_code == 429)
            if number == TRIES or not passing or (wait or 0) > LONGEST_WAIT:
                raise ApiError(answer.status_code, _problem(answer))
            self._sleep(_backoff(number) if wait is None else wait)
        raise AssertionError("the last try ends the loop")

    def lines(self, path: str, *, query: Mapping[str, Any]) -> Iterator[str]:
        """The lines of a streamed answer, as they come. Raises ApiError and Unreachable."""
        wanted = {name: value for name, value in query.items() if value is not None}
        try:
            with self._http.stream("GET", path, params=wanted) as answer:
                if not answer.is_success:
                    answer.read()
                    raise ApiError(answer.status_code, _problem(answer))
                yield from answer.iter_lines()
        except httpx.TransportError as error:
            raise Unreachable(f"{self._http.base_url} broke off ({type(error).__name__}).") from error

    def close(self) -> None:
        self._http.close()


def usable_key(text: str) -> str:
    """The key, without the line break that a stored one may end with. Raises ValueError."""
    key = text.strip()
    if not key:
        raise ValueError("There is no API key. Give one, or set PAYFLUX_API_KEY; make it under API keys.")
    if not key.isascii() or not key.isprintable():
        raise ValueError("The API key has characters that no key has. Copy it again.")
    return key


def usable_address(text: str) -> str:
    """Where the API is, without a slash at its end. Raises ValueError."""
    with suppress(httpx.InvalidURL):
        found = httpx.URL(text.strip())
        if found.scheme in ("http", "https") and found.host:
            return str(found).rstrip("/")
    raise ValueError(f"{text} is no address of an API, such as https://payflux.example.com.")


def _backoff(number: int) -> float:
    return random.uniform(0.5, 1.0) * FIRST_WAIT * 2 ** (number - 1)  # noqa: S311 -- it spreads, and guards nothing


def _asked_wait(answer: httpx.Response) -> float | None:
    """The seconds of `Retry-After`; None where there is none, or where it is a date."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
