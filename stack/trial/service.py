"""The service on the desk's own use cases: what people do over HTTP elsewhere, done in memory. Implements `Service`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from uuid import UUID

from firmware_sim.service import CallTask, Quote, Report, ServiceError, Visit, Waiting, Window
from servicedesk.calling import Call, CallOutcome, log_call
from servicedesk.errors import ConflictError, DeskError, IllegalMoveError, WindowGoneError
from servicedesk.level_rows import CallState, LevelClock
from servicedesk.memory import MemoryDesk
from servicedesk.model import Outcome, OutcomeCode, Ticket
from servicedesk.model import Visit as DeskVisit
from servicedesk.office import DISPATCH, OWNER, SUPERVISOR, Office
from servicedesk.planning import alternatives, confirm, take_window
from servicedesk.quoting import OPEN, approve_quote, decline_quote
from servicedesk.reporting import complain, report_fault
from servicedesk.states import TICKET_ENDED, VISIT_LIVE, TicketState, VisitState
from servicedesk.visiting import finish, move_ticket, move_visit
from telemetry.clock import to_datetime
from telemetry.identity import parse_key


class DeskService:
    """One organisation's desk.

    Args:
        desk: in memory.
        office: the desk at a fleet time, microseconds.

    Attributes:
        now: fleet time at which people act.
        reported: hears of every ticket that an owner's call opened or met.
    """

    def __init__(self, desk: MemoryDesk, office: Callable[[int], Office]) -> None:
        self._desk, self._office_at = desk, office
        self.now = 0
        self.reported: Callable[[Ticket], None] | None = None
        self._live: dict[UUID, None] = {}
        self._tasks: dict[UUID, None] = {}
        self._seen = self._tasks_seen = 0

    def visits(self) -> list[Visit]:
        """See `Service`, here and below."""
        rows = self._desk.visits.rows
        self._live |= dict.fromkeys(islice(rows, self._seen, None))
        self._seen = len(rows)
        self._live = {name: None for name in self._live if rows[name].state in VISIT_LIVE}
        return [self._visit(rows[name]) for name in self._live]

    def waiting(self) -> list[Waiting]:
        """Tickets without an answer, for whom dispatch must call."""
        return [
            Waiting(
                id=str(one.id),
                ref=one.ref,
                device=self._device(one),
                family=one.family,
                state=str(one.state),
                next_action=one.next_action,
                next_due=one.next_due,
            )
            for one in self._desk.tickets.rows.values()
            if one.state not in TICKET_ENDED and one.responsible in {DISPATCH, SUPERVISOR}
        ]

    def quotes(self) -> list[Quote]:
        """Open ones."""
        found = (one for one in self._desk.quotes.rows.values() if one.state in OPEN)
        return [self._quote(one.id, one.ticket, str(one.total)) for one in found]

    def approve(self, quote: Quote) -> None:
        """Yes to a price."""
        with _translated():
            approve_quote(self._office, UUID(quote.id), self._moment, OWNER)

    def decline_quote(self, quote: Quote, why: str) -> None:
        """No to a price."""
        with _translated():
            decline_quote(self._office, UUID(quote.id), self._moment, OWNER, why)

    def confirm(self, visit: Visit) -> None:
        """Yes."""
        with _translated():
            confirm(self._office, UUID(visit.id), self._moment, OWNER)

    def windows(self, visit: Visit) -> Sequence[Window]:
        """Best first."""
        with _translated():
            found = alternatives(self._office, UUID(visit.id), self._moment)
        return [Window(one.window.start, one.window.end) for one in dict.fromkeys((*found.best, *found.all))]

    def move(self, visit: Visit, window: Window) -> None:
        """Another window."""
        with _translated():
            take_window(self._office, UUID(visit.id), window.start, self._moment, OWNER)

    def decline(self, visit: Visit) -> None:
        """No."""
        with _translated():
            move_visit(self._office, UUID(visit.id), VisitState.DECLINED, self._moment, OWNER)

    def advance(self, visit: Visit, to: str) -> None:
        """A step of the technician's way."""
        with _translated():
            who = self._technician(visit)
            move_visit(self._office, UUID(visit.id), VisitState(to), self._moment, who)

    def report(self, visit: Visit, report: Report) -> None:
        """The outcome."""
        with _translated():
            finish(
                self._office,
                Outcome(
                    visit=UUID(visit.id),
                    code=OutcomeCode(report.code),
                    at=self._moment,
                    actor=self._technician(visit),
                    cause=report.cause,
                    parts=report.parts,
                    note=report.note,
                ),
            )

    def self_fix(self, ticket: str) -> None:
        """Mended by the owner."""
        with _translated():
            move_ticket(self._office, UUID(ticket), TicketState.SELF_FIXED, self._moment, OWNER)

    def complain(self, ticket: str, words: str) -> None:
        """A complaint."""
        with _translated():
            complain(self._office, UUID(ticket), words, self._moment)

    def report_fault(self, device: str, family: str | None, words: str) -> str:
        """A call."""
        with _translated():
            appliance = self._desk.people.appliance(self._desk.agenda.device_of(parse_key(device)))
            ticket = report_fault(self._office, appliance, family, words, self._moment)
        if self.reported is not None:
            self.reported(ticket)
        return str(ticket.id)

    def calls(self) -> list[CallTask]:
        """Open ones."""
        rows = self._desk.levels.calls.rows
        self._tasks |= dict.fromkeys(islice(rows, self._tasks_seen, None))
        self._tasks_seen = len(rows)
        self._tasks = {name: None for name in self._tasks if rows[name].state is CallState.OPEN}
        return [
            CallTask(
                id=str(one.id),
                ticket=str(one.ticket),
                device=self._device(self._desk.tickets.get(one.ticket)),
                reason=one.reason,
                opened=one.opened,
            )
            for one in (rows[name] for name in self._tasks)
        ]

    def note_call(self, ticket: str, *, reached: bool) -> None:
        """By telephone."""
        outcome = CallOutcome.REACHED if reached else CallOutcome.NO_ANSWER
        with _translated():
            log_call(self._office, UUID(ticket), Call(outcome, "Dispatch called."), self._moment, DISPATCH)

    def plan_again(self, ticket: str) -> None:
        """Held and taken up again: that asks for a new plan."""
        with _translated():
            move_ticket(self._office, UUID(ticket), TicketState.HOLD, self._moment, DISPATCH, reason="owner called")
            move_ticket(self._office, UUID(ticket), TicketState.OPEN, self._moment, DISPATCH)

    def give_up(self, ticket: str, why: str) -> None:
        """Cancelled."""
        with _translated():
            move_ticket(self._office, UUID(ticket), TicketState.CANCELLED, self._moment, DISPATCH, reason=why)

    @property
    def _office(self) -> Office:
        return self._office_at(self.now)

    @property
    def _moment(self) -> datetime:
        return to_datetime(self.now)

    def _device(self, ticket: Ticket) -> str:
        appliance = self._desk.people.appliance(ticket.device)
        return f"{appliance.org}/{appliance.device}"

    def _technician(self, visit: Visit) -> str:
        return f"technician:{self._desk.visits.get(UUID(visit.id)).technician}"

    def _quote(self, quote: UUID, of: UUID, total: str) -> Quote:
        ticket = self._desk.tickets.get(of)
        return Quote(
            id=str(quote),
            ticket=str(of),
            device=self._device(ticket),
            family=ticket.family,
            total=total,
            household=None if ticket.household is None else str(ticket.household),
        )

    def _visit(self, row: DeskVisit) -> Visit:
        ticket = self._desk.tickets.get(row.ticket)
        notices = self._desk.notices.of_ticket(ticket.id)
        return Visit(
            id=str(row.id),
            ticket=str(ticket.id),
            device=self._device(ticket),
            family=ticket.family,
            fault=ticket.fault,
            window=Window(row.start, row.end),
            state=str(row.state),
            readable=min((one.not_before for one in notices if one.queued >= row.proposed), default=None),
            household=None if ticket.household is None else str(ticket.household),
            parts=list(row.parts),
        )


@contextmanager
def _translated() -> Iterator[None]:
    """The desk's errors as those of the service."""
    try:
        yield
    except DeskError as cause:
        conflict = isinstance(cause, ConflictError | IllegalMoveError | WindowGoneError)
        raise ServiceError(str(cause), conflict=conflict) from cause


def promises_of(clocks: Iterable[LevelClock]) -> dict[str, tuple[int, int]]:
    """By service level: promises that were kept in time, and broken ones; those still open are left out."""
    kept: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for clock in clocks:
        if clock.breached is not None:
            broken[clock.policy] += 1
        elif clock.met is not None:
            kept[clock.policy] += 1
    return {name: (kept[name], broken[name]) for name in sorted({*kept, *broken})}
