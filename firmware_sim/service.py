"""The service as people know it: what they read and what they can do; and its form over the public HTTP API.

The trial has another form of the same, on the desk's use cases: people behave alike over both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast
from uuid import UUID, uuid4

import httpx
import msgspec

from client import ClientError, ConflictError, Patience, Wellkept, types
from telemetry.errors import WellkeptError

LIVE = ("proposed", "confirmed", "dispatched", "travelling", "on_site")
"""States of a visit about which somebody still has something to do."""
_PAGE = 200


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


class CallTask(msgspec.Struct, frozen=True, kw_only=True):
    """An owner whom somebody of dispatch is to call; `reason` says why."""

    id: str
    ticket: str
    device: str
    reason: str
    opened: datetime


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

    def report_fault(self, device: str, family: str | None, words: str) -> str:
        """The owner says that an appliance has failed; `family` is what the words point to, None when nothing does.

        Returns:
            The id of its ticket.
        """
        ...

    def calls(self) -> Sequence[CallTask]:
        """The owners whom somebody of dispatch is to call."""
        ...

    def note_call(self, ticket: str, *, reached: bool) -> None:
        """Dispatch has called an owner, who answered or did not."""
        ...

    def plan_again(self, ticket: str) -> None:
        """Dispatch has reached the owner: another visit is proposed."""
        ...

    def give_up(self, ticket: str, why: str) -> None:
        """Dispatch ends a ticket."""
        ...


ONCE = Patience(tries=1, timeout=10.0)
"""Who is refused or not answered tries again at the next step of the fleet clock, not of the wall's."""


class HttpService:
    """Over the public HTTP API, by the product's own client.

    Args:
        http: with base URL and bearer token.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._desk = Wellkept.over(http, ONCE)
        self._run, self._calls = uuid4().hex, Counter[str]()
        self._device_of: dict[UUID, str] = {}

    def visits(self) -> list[Visit]:
        """See `Service`, here and below."""
        with said():
            return [_visit(each) for each in self._desk.every(self._desk.visits, state=",".join(LIVE), limit=_PAGE)]

    def waiting(self) -> list[Waiting]:
        """Open tickets; whoever asks looks at `next_action`."""
        with said():
            rows = self._desk.every(self._desk.tickets, state="open,reopened,hold", limit=_PAGE)
            return [
                Waiting(
                    id=str(each.id),
                    ref=each.ref,
                    device=each.device,
                    family=each.family,
                    state=each.state,
                    next_action=each.next_action,
                    next_due=each.next_due,
                )
                for each in rows
            ]

    def quotes(self) -> list[Quote]:
        """Open ones."""
        with said():
            rows = self._desk.every(self._desk.quotes, state="sent,delivered,seen", limit=_PAGE)
            return [_quote(each) for each in rows]

    def approve(self, quote: Quote) -> None:
        """Yes to a price."""
        with said():
            self._desk.quote_approve(quote.id, key=f"{quote.id}:approved")

    def decline_quote(self, quote: Quote, why: str) -> None:
        """No to a price."""
        with said():
            self._desk.quote_decline(quote.id, types.DeclineIn(reason=why), key=f"{quote.id}:declined")

    def confirm(self, visit: Visit) -> None:
        """Yes."""
        with said():
            self._desk.visit_confirm(visit.id, key=f"{visit.id}:confirmed")

    def windows(self, visit: Visit) -> list[Window]:
        """Best first."""
        with said():
            found = self._desk.windows(visit.id)
        best, every = ([Window(one.start, one.end) for one in each] for each in (found.best, found.all))
        return [*best, *(one for one in every if one not in best)]

    def move(self, visit: Visit, window: Window) -> None:
        """Another window."""
        key = f"{visit.id}:moved:{window.start.isoformat()}"
        with said():
            self._desk.visit_window(visit.id, types.WindowIn(start=window.start), key=key)

    def decline(self, visit: Visit) -> None:
        """No."""
        self.advance(visit, "declined")

    def advance(self, visit: Visit, to: str) -> None:
        """A step of the technician's way."""
        with said():
            self._desk.visit_move(visit.id, types.MoveIn(to=to), key=f"{visit.id}:{to}")

    def report(self, visit: Visit, report: Report) -> None:
        """The outcome."""
        # The code is one of the desk's; it says so when it is not.
        body = types.OutcomeIn(
            code=cast("Any", report.code), cause=report.cause, parts=list(report.parts), note=report.note
        )
        with said():
            self._desk.visit_outcome(visit.id, body, key=f"{visit.id}:done")

    def self_fix(self, ticket: str) -> None:
        """Mended by the owner."""
        self._ticket(ticket, "self_fixed", key=f"{ticket}:self_fixed")

    def complain(self, ticket: str, words: str) -> None:
        """A complaint."""
        with self._call(f"{ticket}:complaint") as key:
            self._desk.ticket_complaint(ticket, types.ComplaintIn(words=words), key=key)

    def report_fault(self, device: str, family: str | None, words: str) -> str:
        """A call."""
        org, _, name = device.partition("/")
        body = types.ReportIn(words=words, family=family)
        with self._call(f"{device}:report") as key:
            return str(self._desk.device_report(org, name, body, key=key).id)

    def calls(self) -> list[CallTask]:
        """Open ones; a task names its ticket alone, so each ticket's device is looked up once."""
        with said():
            rows = self._desk.calls().items
            for each in rows:
                if each.ticket not in self._device_of:
                    self._device_of[each.ticket] = self._desk.one_ticket(each.ticket).device
        return [
            CallTask(
                id=str(each.id),
                ticket=str(each.ticket),
                device=self._device_of[each.ticket],
                reason=each.reason,
                opened=each.opened,
            )
            for each in rows
        ]

    def note_call(self, ticket: str, *, reached: bool) -> None:
        """By telephone."""
        body = types.CallIn(outcome="reached" if reached else "no_answer", words="Dispatch called.")
        with self._call(f"{ticket}:called") as key:
            self._desk.ticket_call(ticket, body, key=key)

    def plan_again(self, ticket: str) -> None:
        """Held and taken up again: that asks for a new plan."""
        self._ticket(ticket, "hold", "owner called")
        self._ticket(ticket, "open")

    def give_up(self, ticket: str, why: str) -> None:
        """Cancelled."""
        self._ticket(ticket, "cancelled", why, key=f"{ticket}:cancelled")

    @contextmanager
    def _call(self, about: str) -> Iterator[str]:
        """The key of a call: the same while its answer is missing, another one for the next in the same matter."""
        with said():
            yield f"{about}:{self._run}:{self._calls[about]}"
        self._calls[about] += 1

    def _ticket(self, ticket: str, to: str, reason: str | None = None, *, key: str | None = None) -> None:
        with said():
            self._desk.ticket_move(ticket, types.MoveIn(to=to, reason=reason), key=key)


@contextmanager
def said() -> Iterator[None]:
    """The client's errors as people take them."""
    try:
        yield
    except ClientError as cause:
        raise ServiceError(str(cause), conflict=isinstance(cause, ConflictError)) from cause


def _visit(row: types.VisitOut) -> Visit:
    return Visit(
        id=str(row.id),
        ticket=str(row.ticket),
        device=row.device,
        family=row.family,
        window=Window(row.window.start, row.window.end),
        state=row.state,
        fault=row.fault,
        readable=row.readable,
        household=None if row.household is None else str(row.household),
        parts=row.parts,
    )


def _quote(row: types.QuoteOut) -> Quote:
    return Quote(
        id=str(row.id),
        ticket=str(row.ticket),
        device=row.device,
        family=row.family,
        total=str(row.total),
        household=None if row.household is None else str(row.household),
    )
