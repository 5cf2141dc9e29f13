"""Lists go on by a cursor: opaque, signed, bound to its list and filters, and stable while rows are inserted.

A cursor holds the sort key of the last row given, so that a new row elsewhere moves nothing. A list route takes
`Annotated[Paging, Depends(listing(50))]` and answers `paging.page(rows, shape, key)`; the `Link` header comes with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Query, Request

from api.context import InContext, InTx
from api.problems import ProblemError, problem
from api.said import said
from api.v1.models import Page

R = TypeVar("R")
T = TypeVar("T")
K = TypeVar("K")
_MAC_BYTES = 12
_NOT_FILTERS = ("cursor", "limit")
GivenCursor = Annotated[
    str | None, Query(max_length=1024, description="`next` of the piece before; with the same filters")
]


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a list begins and how long its piece is.

    Attributes:
        limit: at most so many rows.
    """

    limit: int
    _cursor: str | None
    _list: bytes
    _signing: bytes

    def after(self, key: type[K]) -> K | None:
        """The sort key after which the piece begins; None at the beginning.

        Raises:
            ProblemError: 400, another list, other filters, or not ours at all.
        """
        if self._cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(self._cursor + "=" * (-len(self._cursor) % 4))
            mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not hmac.compare_digest(mac, self._sign(body)):
                raise _bad_cursor()
            return msgspec.json.decode(body, type=key)
        except (ValueError, binascii.Error, msgspec.DecodeError) as cause:
            raise _bad_cursor() from cause

    def page(self, rows: Sequence[R], shape: Callable[[R], T], key: Callable[[R], object]) -> Page[T]:
        """A piece of a list.

        Args:
            rows: one more than `limit`, when there are so many.
            shape: makes an item of a row.
            key: the sort key of a row, of the type that `after` gives back.
        """
        kept = rows[: self.limit]
        more = len(rows) > self.limit
        return Page(items=[shape(row) for row in kept], next=self._encode(key(kept[-1])) if more else None)

    def _encode(self, key: object) -> str:
        body = msgspec.json.encode(key)
        return base64.urlsafe_b64encode(self._sign(body) + body).decode().rstrip("=")

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._signing, self._list + body, "sha256")[:_MAC_BYTES]


def listing(usual: int = 100, most: int = 500) -> Callable[..., Paging]:
    """A dependency that reads `cursor` and `limit`.

    Args:
        usual: rows of a piece when nobody asks for another number.
        most: rows that may be asked for.
    """
    # A default, for an annotation could not see this function's arguments.
    pieces = Query(default=usual, ge=1, le=most, description="rows of a piece, at most")

    def paging(
        request: Request, context: InContext, tx: InTx, cursor: GivenCursor = None, limit: int = pieces
    ) -> Paging:
        return Paging(limit, cursor, _list_of(request), context.signing(tx.conn))

    return paging


def link_next(request: Request, cursor: str) -> str:
    """The `Link` header (RFC 8288) to the following piece."""
    query = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"] + [("cursor", cursor)]
    return f'<{request.url.path}?{urlencode(query)}>; rel="next"'


def _list_of(request: Request) -> bytes:
    """What a cursor belongs to: the address and the filters."""
    filters: list[tuple[str, Any]] = sorted(
        (k, v) for k, v in request.query_params.multi_items() if k not in _NOT_FILTERS
    )
    return hashlib.sha256(msgspec.json.encode([request.url.path, filters])).digest()


def _bad_cursor() -> ProblemError:
    return problem("bad-cursor", said("this list did not give this cursor; begin without one, with the same filters"))
