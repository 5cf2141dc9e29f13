"""Held windows and plans in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from servicedesk.errors import UnknownError, WindowGoneError
from servicedesk.model import Hold, Ticket, Visit, Window
from servicedesk.moves import BoardMove, MoveState
from servicedesk.plan_rows import PlanLine, VisitPlan
from servicedesk.states import PLANNABLE, VISIT_BOOKED, VISIT_LIVE, VisitState


class _Tickets(Protocol):
    rows: dict[UUID, Ticket]


class _Visits(Protocol):
    rows: dict[UUID, Visit]
    holds: dict[UUID, Hold]


def occupied(hold: Hold, visit: Visit) -> bool:
    """Whether a hold and a visit want the same technician at the same time."""
    return hold.technician == visit.technician and hold.window.overlaps(visit.window)


class MemoryPlans:
    """See `servicedesk.ports_planning.Plans`."""

    def __init__(self, tickets: _Tickets, visits: _Visits) -> None:
        self._tickets = tickets
        self._visits = visits
        self.rows: dict[UUID, VisitPlan] = {}
        self.lines: dict[tuple[UUID, int], PlanLine] = {}

    def hold(self, hold: Hold) -> None:
        """Keep a window."""
        taken = any(
            each.state in VISIT_BOOKED and each.ticket != hold.ticket and occupied(hold, each)
            for each in self._visits.rows.values()
        )
        held = any(
            each.ticket != hold.ticket
            and each.until > hold.made
            and each.technician == hold.technician
            and each.window.overlaps(hold.window)
            for each in self._visits.holds.values()
        )
        if taken or held:
            raise WindowGoneError(f"the window at {hold.start.isoformat()} is taken")
        self._visits.holds[hold.ticket] = hold

    def held(self, technicians: Collection[UUID], span: Window, now: datetime) -> Sequence[Hold]:
        """Held now."""
        return [
            each
            for each in self._visits.holds.values()
            if each.technician in technicians and each.until > now and each.window.overlaps(span)
        ]

    def release(self, ticket: UUID) -> None:
        """Give back."""
        self._visits.holds.pop(ticket, None)

    def waiting(self, org: str) -> list[tuple[Ticket, Visit | None]]:
        """By priority, then age."""
        found: list[tuple[Ticket, Visit | None]] = []
        for ticket in self._tickets.rows.values():
            live = [v for v in self._visits.rows.values() if v.ticket == ticket.id and v.state in VISIT_LIVE]
            movable = all(each.state is VisitState.PROPOSED and each.locked is None for each in live)
            if ticket.org == org and ticket.state in PLANNABLE and movable:
                found.append((ticket, live[0] if live else None))
        return sorted(found, key=lambda pair: (pair[0].priority, pair[0].opened, pair[0].id))

    def add(self, plan: VisitPlan, lines: Sequence[PlanLine]) -> None:
        """Enter a plan."""
        self.rows[plan.id] = plan
        self.lines |= {(line.plan, line.no): line for line in lines}

    def known(self, plan: UUID) -> bool:
        """Whether there is such a plan."""
        return plan in self.rows

    def get(self, plan: UUID) -> tuple[VisitPlan, list[PlanLine]]:
        """A plan and its lines."""
        if plan not in self.rows:
            raise UnknownError(f"there is no plan {plan}")
        return self.rows[plan], [line for key, line in sorted(self.lines.items()) if key[0] == plan]

    def tickets(self, plan: UUID) -> Mapping[UUID, tuple[str, int]]:
        """By ticket."""
        found = (self._tickets.rows[line.ticket] for key, line in self.lines.items() if key[0] == plan)
        return {ticket.id: (ticket.ref, ticket.version) for ticket in found}

    def line(self, plan: UUID, no: int) -> PlanLine:
        """A line."""
        if (plan, no) not in self.lines:
            raise UnknownError(f"there is no line {no} of plan {plan}")
        return self.lines[plan, no]

    def save(self, line: PlanLine) -> None:
        """Write it."""
        self.lines[line.plan, line.no] = line


class MemoryMoves:
    """See `servicedesk.ports_planning.Moves`."""

    def __init__(self) -> None:
        self.rows: dict[UUID, BoardMove] = {}

    def add(self, move: BoardMove) -> None:
        """Enter a move."""
        self.rows[move.id] = move

    def get(self, move: UUID) -> BoardMove:
        """The move."""
        if move not in self.rows:
            raise UnknownError(f"there is no move {move}")
        return self.rows[move]

    def ticket_of(self, move: UUID) -> UUID:
        """Its ticket."""
        return self.get(move).ticket

    def open_of(self, ticket: UUID) -> list[BoardMove]:
        """Told to nobody yet."""
        return [each for each in self.rows.values() if each.ticket == ticket and each.state is MoveState.OPEN]

    def save(self, move: BoardMove) -> None:
        """Write it."""
        self.rows[move.id] = move

    def of_visit(self, visit: UUID) -> BoardMove | None:
        """The move that made a visit."""
        return next((each for each in self.rows.values() if each.visit == visit), None)

    def latest(self, actor: str, wall: datetime) -> BoardMove | None:
        """The newest that can be taken back."""
        mine = (e for e in self.rows.values() if e.actor == actor and e.state is MoveState.OPEN and e.until > wall)
        return max(mine, key=lambda each: (each.until, each.id), default=None)
