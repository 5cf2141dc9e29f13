"""Requests: authorisation, keys that make repeats harmless, patience, problems as exceptions."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

import httpx
import msgspec

from client.problems import BusyError, ClientError, UnreachableError, problem_of

T = TypeVar("T")
_AGAIN = frozenset({429, 503})


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A piece of a list; `next` goes into `cursor`."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What was read, and the `ETag` that names its state."""

    value: T
    etag: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is repeated.

    Attributes:
        tries: at most; 1 repeats nothing.
        first: seconds before the second try; then twice as long each time, with some spread.
        longest: seconds between two tries, a `Retry-After` included: what asks for more is not repeated.
        timeout: seconds for one try.
        sleep: waits.
    """

    tries: int = 5
    first: float = 0.2
    longest: float = 30.0
    timeout: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    spread: Callable[[], float] = random.random

    def wait(self, number: int, asked: float | None) -> float | None:
        """Seconds before the next try, None when there is none."""
        if number >= self.tries or (asked is not None and asked > self.longest):
            return None
        grown = min(self.longest, self.first * 2.0 ** (number - 1)) * (0.5 + self.spread())
        return max(grown, asked or 0.0)


@dataclass
class Caller:
    """Sends requests over one connection pool; for several threads.

    Attributes:
        http: with base URL and bearer token.
        patience: with errors that pass.
    """

    http: httpx.Client
    patience: Patience = field(default_factory=Patience)
    _last: threading.local = field(default_factory=threading.local, repr=False)

    def call(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, object] | None = None,
        body: msgspec.Struct | None = None,
        if_match: str | None = None,
        key: str | None = None,
    ) -> T:
        """One request and its answer.

        Args:
            method: in capitals.
            path: below the base URL.
            kind: of the answer; bytes for an answer that is no JSON.
            query: values that are None are left out.
            body: sent as JSON.
            if_match: the change is made only to this state.
            key: your own word for this change, so that a repeat of it, even by another process, has no second effect.

        Raises:
            ProblemError: the service refuses.
            UnreachableError: there is no answer, or one that is not understood.
        """
        headers = {"Accept": "*/*" if kind is bytes else "application/json"}
        if method != "GET":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        if if_match is not None:
            headers["If-Match"] = if_match
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(body)
        asked = {name: text_of(value) for name, value in (query or {}).items() if value is not None}
        answer = self._patiently(lambda: self._once(method, path, asked, headers, content))
        self._last.etag = answer.headers.get("etag", "")
        if kind is bytes:
            return cast("T", answer.content)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError as cause:
            raise UnreachableError(f"an answer that is not understood: {cause}") from cause

    def seen(self, read: Callable[..., T], *arguments: Any, **named: Any) -> Seen[T]:  # noqa: ANN401  (of `read`)
        """What a method of this client reads, with its `ETag` for `if_match`."""
        value = read(*arguments, **named)
        return Seen(value, str(getattr(self._last, "etag", "")))

    def _patiently(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        number = 1
        while True:
            try:
                return ask()
            except (BusyError, UnreachableError) as error:
                asked = error.retry_after if isinstance(error, BusyError) else None
                wait = self.patience.wait(number, asked)
                if wait is None:
                    raise
                self.patience.sleep(wait)
                number += 1

    def _once(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], content: bytes | None
    ) -> httpx.Response:
        try:
            answer = self.http.request(
                method, path, params=query, headers=headers, content=content, timeout=self.patience.timeout
            )
        except httpx.HTTPError as cause:
            raise UnreachableError(f"{method} {path}: {cause!r}") from cause
        if answer.is_success:
            return answer
        raise problem_in(answer)


def problem_in(answer: httpx.Response) -> ClientError:
    """The exception of an answer that is none of success, its body read."""
    try:
        members = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        members = {"title": f"HTTP {answer.status_code} {answer.reason_phrase}".strip()}
    after = answer.headers.get("retry-after", "")
    return problem_of(answer.status_code, members, float(after) if after.isdigit() else None)


def segment(value: object) -> str:
    """A part of a path: whatever it holds, it stays one part."""
    return quote(text_of(value), safe="")


def text_of(value: object) -> str:
    """A value as it stands in an address."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ",".join(text_of(each) for each in value)
    return str(msgspec.to_builtins(value)) if not isinstance(value, bool) else str(value).lower()
