"""The client itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from client.core import Page, Patience
from client.routes import Routes
from client.watching import EventStream

T = TypeVar("T")


class Wellkept(Routes):
    """A service desk, as a token may see it. For several threads.

    Every change carries an `Idempotency-Key`, so that it may be repeated; requests are repeated while the service is
    busy or not there, as `patience` says.

    Args:
        url: where it is, as `http://127.0.0.1:8080`.
        token: made by `wellkept token new`.
        patience: with errors that pass.
        transport: another way than the network, for tests.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        http = httpx.Client(base_url=url, headers=headers, transport=transport, trust_env=False)
        super().__init__(http, patience or Patience())

    @classmethod
    def over(cls, http: httpx.Client, patience: Patience | None = None) -> Wellkept:
        """Over a connection pool of your own, which has base URL and bearer token."""
        made = cls.__new__(cls)
        Routes.__init__(made, http, patience or Patience())
        return made

    def every(self, page: Callable[..., Page[T]], *arguments: Any, **filters: Any) -> Iterator[T]:  # noqa: ANN401  (of `page`)
        """All rows of a list, piece by piece: `desk.every(desk.tickets, state="open")`."""
        cursor: str | None = None
        while True:
            piece = page(*arguments, cursor=cursor, **filters)
            yield from piece.items
            cursor = piece.next
            if cursor is None:
                return

    def events(self, *, after: int | None = None, types: Collection[str] = ()) -> EventStream:
        """What changes, as it changes, from behind a number or from now; it comes back by itself and misses nothing."""
        return EventStream(self.http, after=after, types=types, patience=self.patience)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
