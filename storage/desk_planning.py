"""Held windows and plans on PostgreSQL; also registration of what planning knows of technicians and areas."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import errors
from psycopg.rows import args_row, class_row, kwargs_row
from psycopg.types.range import TimestamptzRange

from servicedesk.errors import UnknownError, WindowGoneError
from servicedesk.model import Certificate, Hold, PartStock, Ticket, Visit, Window
from servicedesk.plan_rows import LineState, PlanLine, VisitPlan
from servicedesk.states import PLANNABLE
from servicedesk.travel import Place
from storage.desk_rows import TICKET_COLUMNS, VISIT_COLUMNS, ticket_row, visit_row
from storage.pool import Connection

_LOCK = "select from technician where id = %s for no key update"
_OVER = "delete from slot_hold where (technician = %(technician)s and until <= %(made)s) or ticket = %(ticket)s"
_TAKEN = """
select from visit where technician = %(technician)s and ticket <> %(ticket)s
    and span && tstzrange(%(start)s, %(end)s)
    and state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done')
"""
_HOLD = """
insert into slot_hold (id, ticket, technician, span, made, until, actor)
values (%(id)s, %(ticket)s, %(technician)s, tstzrange(%(start)s, %(end)s), %(made)s, %(until)s, %(actor)s)
"""
_HELD = """
select id, ticket, technician, lower(span) as start, upper(span) as "end", made, until, actor from slot_hold
where technician = any(%(who)s) and until > %(now)s and span && tstzrange(%(start)s, %(end)s) order by made, id
"""
_RELEASE = "delete from slot_hold where ticket = %s"
_WAITING = f"select {TICKET_COLUMNS} from ticket where org = %s and state = any(%s) order by priority, opened, id"  # noqa: S608  (constants of this package)
_LIVE = f"""
select {VISIT_COLUMNS} from visit where ticket = any(%s)
    and state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site')
"""  # noqa: S608  (likewise)
_ADD_PLAN = """
insert into visit_plan (id, org, made, actor, first, until, served, of, travel_before, travel_after)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_ADD_LINE = """
insert into visit_plan_line (plan, no, ticket, version, visit, before_technician, before_span, after_technician,
    after_span, blocking, state, decided, actor)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_GET_PLAN = """
select id, org, made, actor, first, until, served, of, travel_before, travel_after from visit_plan where id = %s
"""
_LINE = "plan, no, ticket, version, visit, before_technician, before_span, after_technician, after_span, blocking, state, decided, actor"  # noqa: E501  (one list)
_LINES = f"select {_LINE} from visit_plan_line where plan = %s order by no"  # noqa: S608  (likewise)
_GET_LINE = f"select {_LINE} from visit_plan_line where plan = %s and no = %s for update"  # noqa: S608  (likewise)
_VERSIONS = "select t.id, t.ref, t.version from visit_plan_line l join ticket t on t.id = l.ticket where l.plan = %s"
_SAVE_LINE = "update visit_plan_line set state = %s, decided = %s, actor = %s where plan = %s and no = %s"
_AREA = """
insert into area (org, name, latitude, longitude) values (%s, %s, %s, %s)
on conflict (org, name) do update set latitude = excluded.latitude, longitude = excluded.longitude
"""
_HOME = "update technician set home_latitude = %s, home_longitude = %s where id = %s"
_SKILL = """
insert into technician_skill (technician, skill, valid_until, trained, course) values (%s, %s, %s, %s, %s)
on conflict (technician, skill) do update
    set valid_until = excluded.valid_until, trained = excluded.trained, course = excluded.course
"""
_DEPOT = "insert into part_stock (org, sku) values (%s, %s) on conflict (org, sku) do nothing"
_VAN = """
insert into van_stock (technician, sku, on_hand) values (%s, %s, %s)
on conflict (technician, sku) do update set on_hand = excluded.on_hand
"""
_AWAY = """
insert into technician_absence (technician, away, reason) values (%s, tstzrange(%s, %s), %s) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class PgPlans:
    """See `servicedesk.ports_planning.Plans`; a technician's row is the lock under which holds and visits are made."""

    conn: Connection

    def hold(self, hold: Hold) -> None:
        """Keep a window; a clash leaves the transaction usable."""
        row = {
            "id": hold.id,
            "ticket": hold.ticket,
            "technician": hold.technician,
            "start": hold.start,
            "end": hold.end,
            "made": hold.made,
            "until": hold.until,
            "actor": hold.actor,
        }
        try:
            with self.conn.transaction():
                self.conn.execute(_LOCK, (hold.technician,))
                if self.conn.execute(_TAKEN, row).rowcount:
                    raise WindowGoneError(f"the window at {hold.start.isoformat()} is taken")
                self.conn.execute(_OVER, row)
                self.conn.execute(_HOLD, row)
        except errors.ExclusionViolation as cause:
            raise WindowGoneError(f"the window at {hold.start.isoformat()} is held for somebody else") from cause

    def held(self, technicians: Collection[UUID], span: Window, now: datetime) -> Sequence[Hold]:
        """Held now."""
        asked = {"who": list(technicians), "start": span.start, "end": span.end, "now": now}
        with self.conn.cursor(row_factory=class_row(Hold)) as cursor:
            return cursor.execute(_HELD, asked).fetchall()

    def release(self, ticket: UUID) -> None:
        """Give back."""
        self.conn.execute(_RELEASE, (ticket,))

    def waiting(self, org: str) -> list[tuple[Ticket, Visit | None]]:
        """By priority, then age; nothing is locked."""
        with self.conn.cursor(row_factory=kwargs_row(ticket_row)) as cursor:
            tickets = cursor.execute(_WAITING, (org, [str(state) for state in PLANNABLE])).fetchall()
        with self.conn.cursor(row_factory=kwargs_row(visit_row)) as cursor:
            live = {each.ticket: each for each in cursor.execute(_LIVE, ([each.id for each in tickets],))}
        pairs = ((each, live.get(each.id)) for each in tickets)
        return [(t, v) for t, v in pairs if v is None or (v.state == "proposed" and v.locked is None)]

    def add(self, plan: VisitPlan, lines: Sequence[PlanLine]) -> None:
        """Enter a plan."""
        head = (plan.id, plan.org, plan.made, plan.actor, plan.first, plan.until)
        self.conn.execute(_ADD_PLAN, (*head, plan.served, plan.of, plan.travel_before, plan.travel_after))
        with self.conn.cursor() as cursor:
            cursor.executemany(_ADD_LINE, [_row(line) for line in lines])

    def known(self, plan: UUID) -> bool:
        """Whether there is such a plan."""
        return self.conn.execute("select from visit_plan where id = %s", (plan,)).rowcount == 1

    def get(self, plan: UUID) -> tuple[VisitPlan, list[PlanLine]]:
        """A plan and its lines."""
        with self.conn.cursor(row_factory=class_row(VisitPlan)) as cursor:
            found = cursor.execute(_GET_PLAN, (plan,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no plan {plan}")
        with self.conn.cursor(row_factory=kwargs_row(_line)) as cursor:
            return found, cursor.execute(_LINES, (plan,)).fetchall()

    def tickets(self, plan: UUID) -> Mapping[UUID, tuple[str, int]]:
        """By ticket."""
        with self.conn.cursor(row_factory=args_row(_version)) as cursor:
            return dict(cursor.execute(_VERSIONS, (plan,)))

    def line(self, plan: UUID, no: int) -> PlanLine:
        """A line, locked."""
        with self.conn.cursor(row_factory=kwargs_row(_line)) as cursor:
            found = cursor.execute(_GET_LINE, (plan, no)).fetchone()
        if found is None:
            raise UnknownError(f"there is no line {no} of plan {plan}")
        return found

    def save(self, line: PlanLine) -> None:
        """Write what became of it."""
        self.conn.execute(_SAVE_LINE, (line.state, line.decided, line.actor, line.plan, line.no))


def register_area(conn: Connection, org: str, name: str, centre: Place) -> None:
    """Enter an area, or move its centre."""
    conn.execute(_AREA, (org, name, centre.latitude, centre.longitude))


def register_home(conn: Connection, technician: UUID, home: Place) -> None:
    """Enter where a technician's day begins and ends."""
    conn.execute(_HOME, (home.latitude, home.longitude, technician))


def register_certificate(conn: Connection, technician: UUID, certificate: Certificate) -> None:
    """Enter the training record of a technician's skill, or renew it."""
    row = (certificate.skill, certificate.valid_until, certificate.trained, certificate.course)
    conn.execute(_SKILL, (technician, *row))


def register_absence(conn: Connection, technician: UUID, away: Window, reason: str = "") -> None:
    """Enter an absence; visits that are promised in it stay, for a person to look at."""
    conn.execute(_AWAY, (technician, away.start, away.end, reason))


def stock_van(conn: Connection, technician: UUID, part: PartStock) -> None:
    """Enter what lies in a technician's van."""
    conn.execute(_DEPOT, (part.org, part.sku))
    conn.execute(_VAN, (technician, part.sku, part.on_hand))


def _row(line: PlanLine) -> tuple[Any, ...]:
    return (
        line.plan,
        line.no,
        line.ticket,
        line.version,
        line.visit,
        line.before_technician,
        _range(line.before),
        line.after_technician,
        _range(line.after),
        line.blocking,
        line.state,
        line.decided,
        line.actor,
    )


def _range(window: Window | None) -> TimestamptzRange | None:
    return None if window is None else TimestamptzRange(window.start, window.end)


def _version(ticket: UUID, ref: str, version: int) -> tuple[UUID, tuple[str, int]]:
    return ticket, (ref, version)


def _line(
    *,
    state: str,
    before_span: TimestamptzRange | None,
    after_span: TimestamptzRange | None,
    **columns: Any,  # noqa: ANN401  (columns of one row)
) -> PlanLine:
    return PlanLine(state=LineState(state), before=_window(before_span), after=_window(after_span), **columns)


def _window(span: TimestamptzRange | None) -> Window | None:
    if span is None or span.lower is None or span.upper is None:
        return None
    return Window(span.lower, span.upper)
