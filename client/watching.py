"""The feed of changes as an iterator that comes back by itself and misses nothing."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import closing

import httpx
import msgspec

from client.core import Patience, problem_in
from client.problems import BusyError, ClientError, UnreachableError
from client.types import ChangeOut

_SILENCE_S = 45.0
RESET = "reset"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event.

    Attributes:
        no: its place in the feed; keep it, and go on behind it.
        change: what changed; None where changes are missing: read the lists anew.
    """

    no: int
    change: ChangeOut | None


class EventStream:
    """Iterate over it; it ends when it is closed, or when the token may see nothing any more.

    Args:
        http: with base URL and bearer token.
        after: the last number that was seen; None begins now.
        types: kinds of changes; all when empty.
        patience: between connections; a connection that told something begins the count anew.

    Attributes:
        last: the number to go on from, moved by what is told and, when nothing is, by the service's heartbeat.
    """

    def __init__(
        self, http: httpx.Client, *, after: int | None = None, types: Collection[str] = (), patience: Patience
    ) -> None:
        self._http = http
        self._types = ",".join(types)
        self._patience = patience
        self._closed = False
        self.last = after

    def close(self) -> None:
        """End with what is told next, or with the next heartbeat."""
        self._closed = True

    def __iter__(self) -> Iterator[Told]:
        failures = 0
        while not self._closed:
            before = self.last
            try:
                with closing(self._connected()) as told:
                    for each in told:
                        yield each
                        failures = 0
                        if self._closed:
                            return
            except (BusyError, UnreachableError) as error:
                failures = 1 if self.last != before else failures + 1
                wait = self._patience.wait(failures, error.retry_after if isinstance(error, BusyError) else None)
                if wait is None:
                    raise
                self._patience.sleep(wait)

    def _connected(self) -> Generator[Told, None, None]:
        headers = {"Accept": "text/event-stream"}
        if self.last is not None:
            headers["Last-Event-ID"] = str(self.last)
        query = {"types": self._types} if self._types else {}
        timeout = httpx.Timeout(self._patience.timeout, read=_SILENCE_S)
        try:
            with self._http.stream("GET", "/v1/events", params=query, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise problem_in(answer)
                yield from self._read(answer.iter_lines())
        except httpx.HTTPError as cause:
            raise UnreachableError(f"the stream of events: {cause!r}") from cause
        raise UnreachableError("the stream of events has ended")

    def _read(self, lines: Iterator[str]) -> Iterator[Told]:
        no, name, data = self.last or 0, "", ""
        for line in lines:
            word, _, value = line.partition(": ")
            if word == "id":
                no = _number(value)
            elif word == "event":
                name = value
            elif word == "data":
                data = value
            elif not line:
                self.last = no
                if self._closed:
                    return
                if name == RESET:
                    yield Told(no=no, change=None)
                elif name:
                    yield Told(no=no, change=_change(data))
                name, data = "", ""


def _number(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise UnreachableError(f"an event without a number: {value!r}")
    return int(value)


def _change(data: str) -> ChangeOut:
    try:
        return msgspec.json.decode(data, type=ChangeOut)
    except msgspec.MsgspecError as cause:
        raise ClientError(f"an event that is not understood: {cause}") from cause
