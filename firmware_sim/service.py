"""The service as people know it: what they read and what they can do; and its form over the public HTTP API.

The trial has another form of the same, on the desk's use cases: people behave alike over both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx
import msgspec

from telemetry.errors import WellkeptError

LIVE = ("proposed", "confirmed", "dispatched", "travelling", "on_site")
"""States of a visit about which somebody still has something to do."""
_PAGE = 200
_CONFLICT = 409
_TIMEOUT_S = 10.0


class ServiceError(WellkeptError):
    """The service did not do it.

    Attributes:
        conflict: somebody else was quicker; another look shows what is now.
    """

    def __init__(self, detail: str, *, conflict: bool = False) -> None:
        super().__init__(detail)
        self.conflict = conflict


class Window(msgspec.Struct, frozen=True):
    """Two hours in which a technician comes."""

    start: datetime
    end: datetime


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What people read of a visit."""

    id: str
    ticket: str
    device: str
    family: str
    window: Window
    state: str
    fault: str | None = None
    readable: datetime | None = None
    household: str | None = None
    parts: list[str] = []


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that waits for somebody of dispatch; `next_action` says for what."""

    id: str
    ref: str
    device: str
    family: str
    state: str
    next_action: str
    next_due: datetime | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What people read of a quote that waits for the owner's answer."""

    id: str
    ticket: str
    device: str
    family: str
    total: str
    household: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a technician hands in: an outcome's code, the cause as a fault id, and the parts that were fitted."""

    code: str
    cause: str | None = None
    parts: tuple[str, ...] = ()
    note: str = ""


class Service(Protocol):
    """What people do. Everything raises ServiceError when it could not be done; doing it twice is doing it once."""

    def visits(self) -> Sequence[Visit]:
        """The visits about which somebody still has something to do."""
        ...

    def waiting(self) -> Sequence[Waiting]:
        """The tickets that wait for dispatch."""
        ...

    def quotes(self) -> Sequence[Quote]:
        """The quotes that wait for their owners' answers."""
        ...

    def approve(self, quote: Quote) -> None:
        """The owner agrees to a price."""
        ...

    def decline_quote(self, quote: Quote, why: str) -> None:
        """The owner does not agree to a price."""
        ...

    def confirm(self, visit: Visit) -> None:
        """The owner agrees."""
        ...

    def windows(self, visit: Visit) -> Sequence[Window]:
        """Other windows, the best first."""
        ...

    def move(self, visit: Visit, window: Window) -> None:
        """The owner takes another window."""
        ...

    def decline(self, visit: Visit) -> None:
        """The owner says no."""
        ...

    def advance(self, visit: Visit, to: str) -> None:
        """The technician takes the job (`dispatched`), sets off (`travelling`), stands at the door (`on_site`)."""
        ...

    def report(self, visit: Visit, report: Report) -> None:
        """The technician hands in the outcome."""
        ...

    def self_fix(self, ticket: str) -> None:
        """The owner has mended it."""
        ...

    def complain(self, ticket: str, words: str) -> None:
        """The owner is not content."""
        ...

    def report_fault(self, device: str, family: str | None, words: str) -> None:
        """The owner says that an appliance has failed; `family` is what the words point to, None when nothing does."""
        ...

    def plan_again(self, ticket: str) -> None:
        """Dispatch has reached the owner: another visit is proposed."""
        ...

    def give_up(self, ticket: str, why: str) -> None:
        """Dispatch ends a ticket."""
        ...


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    next: str | None = None


class _Offers(msgspec.Struct):
    best: list[Window]
    all: list[Window]


class HttpService:
    """Over the public HTTP API.

    Args:
        client: with base URL and bearer token.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def visits(self) -> list[Visit]:
        """See `Service`, here and below."""
        return self._list("/v1/visits", {"state": ",".join(LIVE)}, Visit)

    def waiting(self) -> list[Waiting]:
        """Open tickets; whoever asks looks at `next_action`."""
        return self._list("/v1/tickets", {"state": "open,reopened,hold"}, Waiting)

    def quotes(self) -> list[Quote]:
        """Open ones."""
        return self._list("/v1/quotes", {"state": "sent,delivered,seen"}, Quote)

    def approve(self, quote: Quote) -> None:
        """Yes to a price."""
        self._post(f"/v1/quotes/{quote.id}/approve", {}, f"{quote.id}:approved")

    def decline_quote(self, quote: Quote, why: str) -> None:
        """No to a price."""
        self._post(f"/v1/quotes/{quote.id}/decline", {"reason": why}, f"{quote.id}:declined")

    def confirm(self, visit: Visit) -> None:
        """Yes."""
        self._post(f"/v1/visits/{visit.id}/confirm", {}, f"{visit.id}:confirmed")

    def windows(self, visit: Visit) -> list[Window]:
        """Best first."""
        found = self._decode(self._get(f"/v1/visits/{visit.id}/windows", {}), _Offers)
        return [*found.best, *(one for one in found.all if one not in found.best)]

    def move(self, visit: Visit, window: Window) -> None:
        """Another window."""
        start = window.start.isoformat()
        self._post(f"/v1/visits/{visit.id}/windows", {"start": start}, f"{visit.id}:moved:{start}")

    def decline(self, visit: Visit) -> None:
        """No."""
        self.advance(visit, "declined")

    def advance(self, visit: Visit, to: str) -> None:
        """A step of the technician's way."""
        self._post(f"/v1/visits/{visit.id}/moves", {"to": to}, f"{visit.id}:{to}")

    def report(self, visit: Visit, report: Report) -> None:
        """The outcome."""
        body = {"code": report.code, "cause": report.cause, "parts": list(report.parts), "note": report.note}
        self._post(f"/v1/visits/{visit.id}/outcome", body, f"{visit.id}:done")

    def self_fix(self, ticket: str) -> None:
        """Mended by the owner."""
        self._post(f"/v1/tickets/{ticket}/moves", {"to": "self_fixed"}, f"{ticket}:self_fixed")

    def complain(self, ticket: str, words: str) -> None:
        """A complaint."""
        self._post(f"/v1/tickets/{ticket}/complaints", {"words": words}, f"{ticket}:complaint:{words}")

    def report_fault(self, device: str, family: str | None, words: str) -> None:
        """A call."""
        self._post(f"/v1/devices/{device}/reports", {"family": family, "words": words}, f"{device}:report:{words}")

    def plan_again(self, ticket: str) -> None:
        """Held and taken up again: that asks for a new plan."""
        self._post(f"/v1/tickets/{ticket}/moves", {"to": "hold", "reason": "owner called"}, None)
        self._post(f"/v1/tickets/{ticket}/moves", {"to": "open"}, None)

    def give_up(self, ticket: str, why: str) -> None:
        """Cancelled."""
        self._post(f"/v1/tickets/{ticket}/moves", {"to": "cancelled", "reason": why}, f"{ticket}:cancelled")

    def _list(self, path: str, query: dict[str, str], kind: type[Any]) -> list[Any]:
        found: list[Any] = []
        cursor: str | None = None
        while True:
            asked = query | {"limit": str(_PAGE)} | ({} if cursor is None else {"cursor": cursor})
            page = self._decode(self._get(path, asked), _Page)
            found += [self._decode(bytes(item), kind) for item in page.items]
            cursor = page.next
            if cursor is None:
                return found

    def _decode(self, data: bytes, kind: type[Any]) -> Any:  # noqa: ANN401  (of the kind that was asked for)
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.ValidationError, msgspec.DecodeError) as cause:
            raise ServiceError(f"an answer that is not understood: {cause}") from cause

    def _get(self, path: str, query: Mapping[str, str]) -> bytes:
        try:
            answer = self._client.get(path, params=dict(query), timeout=_TIMEOUT_S)
            answer.raise_for_status()
        except httpx.HTTPError as cause:
            raise ServiceError(str(cause)) from cause
        return answer.content

    def _post(self, path: str, body: Mapping[str, Any], key: str | None) -> None:
        """Do one thing. An answer that never came is asked for again with the same key: the thing is done once."""
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            answer = self._client.post(path, json=dict(body), headers=headers, timeout=_TIMEOUT_S)
            answer.raise_for_status()
        except httpx.HTTPStatusError as cause:
            raise ServiceError(str(cause), conflict=cause.response.status_code == _CONFLICT) from cause
        except httpx.HTTPError as cause:
            raise ServiceError(str(cause)) from cause
