"""Service levels, calls and the roster on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import errors
from psycopg.rows import class_row, kwargs_row

from servicedesk.errors import UnknownError
from servicedesk.level_rows import CallState, CallTask, Compensation, LevelClock, MailIn, OnCall, Page, Pause
from servicedesk.memory_levels import STANDARD, taken_twice
from servicedesk.states import TicketState
from storage.desk_reach import PgReach
from storage.pool import Connection

_CLOCK = (
    "id, ticket, policy, occasion, calendar, zone, started, allowed, consumed, since, due, reasons, expected, warned, "
    "breached, met, ended"
)
_ADD_CLOCK = f"""
insert into level_clock ({_CLOCK}) values (%(id)s, %(ticket)s, %(policy)s, %(occasion)s, %(calendar)s, %(zone)s,
    %(started)s, %(allowed)s, %(consumed)s, %(since)s, %(due)s, %(reasons)s, %(expected)s, %(warned)s, %(breached)s,
    %(met)s, %(ended)s)
"""  # noqa: S608  (constants of this module)
_GET_CLOCK = f"select {_CLOCK} from level_clock where id = %s for update"  # noqa: S608  (likewise)
_CLOCK_TICKET = "select ticket from level_clock where id = %s"
_OPEN_CLOCKS = f"""
select {_CLOCK} from level_clock where ticket = %s and met is null and ended is null order by started, id for update
"""  # noqa: S608  (likewise)
_CLOCKS = f"select {_CLOCK} from level_clock where ticket = %s order by started, id"  # noqa: S608  (likewise)
_SAVE_CLOCK = """
update level_clock set allowed = %(allowed)s, consumed = %(consumed)s, since = %(since)s, due = %(due)s,
    reasons = %(reasons)s, expected = %(expected)s, warned = %(warned)s, breached = %(breached)s, met = %(met)s,
    ended = %(ended)s
where id = %(id)s
"""
_PAUSE = """
insert into level_pause (clock, reason, begun, until) values (%(clock)s, %(reason)s, %(begun)s, %(until)s)
on conflict do nothing
"""
_RESUME = "update level_pause set until = %s where clock = %s and reason = %s and until is null"
_PAUSES = """
select p.clock, p.reason, p.begun, p.until from level_pause p join level_clock c on c.id = p.clock
where c.ticket = %s order by p.begun, p.clock, p.reason
"""
_COMPENSATE = """
insert into compensation (id, ticket, clock, policy, amount, currency, reason, issued)
values (%(id)s, %(ticket)s, %(clock)s, %(policy)s, %(amount)s, %(currency)s, %(reason)s, %(issued)s)
on conflict (clock) do nothing
"""
_COMPENSATIONS = """
select id, ticket, clock, policy, amount, currency, reason, issued from compensation where ticket = %s
order by issued, id
"""
_TIER = "select tier from household_tier where household = %s"
_SET_TIER = """
insert into household_tier (household, tier, named_contact) values (%s, %s, %s)
on conflict (household) do update set tier = excluded.tier, named_contact = excluded.named_contact
"""
_STATE = "select state from ticket where id = %s"

_TASK = "id, ticket, reason, severity, opened, due, assignee, state, escalated, contacted, closed, note"
_ADD_TASK = f"""
insert into call_task ({_TASK}) values (%(id)s, %(ticket)s, %(reason)s, %(severity)s, %(opened)s, %(due)s,
    %(assignee)s, %(state)s, %(escalated)s, %(contacted)s, %(closed)s, %(note)s)
"""  # noqa: S608  (likewise)
_GET_TASK = f"select {_TASK} from call_task where id = %s for update"  # noqa: S608  (likewise)
_TASKS = f"select {_TASK} from call_task where ticket = %s order by opened, id for update"  # noqa: S608  (likewise)
_SAVE_TASK = """
update call_task set due = %(due)s, assignee = %(assignee)s, state = %(state)s, escalated = %(escalated)s,
    contacted = %(contacted)s, closed = %(closed)s, note = %(note)s, severity = %(severity)s, reason = %(reason)s
where id = %(id)s
"""
_TASKS_OPENED = """
select c.id, c.ticket, c.reason, c.severity, c.opened, c.due, c.assignee, c.state, c.escalated, c.contacted, c.closed,
    c.note
from call_task c join ticket t on t.id = c.ticket
where c.opened >= %(start)s and c.opened < %(end)s and (%(org)s::text is null or t.org = %(org)s)
order by c.opened, c.id
"""
_ADD_ONCALL = """
insert into oncall (id, org, step, name, address, span) values (%s, %s, %s, %s, %s, tstzrange(%s, %s))
"""
_NEVER_ONCALL = "delete from oncall where id = %s and lower(span) >= %s"
_DROP_ONCALL = "update oncall set span = tstzrange(lower(span), %s) where id = %s and upper(span) > %s"
_ONCALL = """
select id, org, step, name, address, lower(span) as start, upper(span) as until from oncall
where org = %s and span @> %s::timestamptz order by step, name
"""
_PAGE = "id, ticket, episode, step, name, address, text, at, sent, acknowledged"
_ADD_PAGE = f"""
insert into page ({_PAGE}) values (%(id)s, %(ticket)s, %(episode)s, %(step)s, %(name)s, %(address)s, %(text)s, %(at)s,
    %(sent)s, %(acknowledged)s) on conflict (ticket, episode, step) do nothing
"""  # noqa: S608  (likewise)
_GET_PAGE = f"select {_PAGE} from page where id = %s for update"  # noqa: S608  (likewise)
_PAGES = f"select {_PAGE} from page where ticket = %s order by at, step"  # noqa: S608  (likewise)
_SAVE_PAGE = "update page set sent = %(sent)s, acknowledged = %(acknowledged)s where id = %(id)s"
_TAKE_MAIL = """
insert into mail_in (message_id, at, kind, sender, subject, words, ticket)
values (%(message_id)s, %(at)s, %(kind)s, %(sender)s, %(subject)s, %(words)s, %(ticket)s)
on conflict (message_id) do nothing
"""
_UNMATCHED = """
select message_id, at, kind, sender, subject, words, ticket from mail_in where ticket is null
order by at desc, message_id desc limit %s
"""


def values(row: object) -> dict[str, Any]:
    """The fields of a row's value, tuples as arrays, for named parameters."""
    found = {each.name: getattr(row, each.name) for each in fields(row)}  # type: ignore[arg-type]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _clock_row(*, reasons: list[str], **columns: Any) -> LevelClock:  # noqa: ANN401  (columns of one row)
    return LevelClock(reasons=tuple(reasons), **columns)


def _task_row(*, state: str, **columns: Any) -> CallTask:  # noqa: ANN401  (columns of one row)
    return CallTask(state=CallState(state), **columns)


@dataclass(frozen=True, slots=True)
class PgClocks:
    """Promises."""

    conn: Connection

    def add(self, clock: LevelClock) -> None:
        """See `servicedesk.ports_levels`, here and below."""
        self.conn.execute(_ADD_CLOCK, values(clock))

    def get(self, clock: UUID) -> LevelClock:
        """A clock, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_clock_row)) as cursor:
            found = cursor.execute(_GET_CLOCK, (clock,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no clock {clock}")
        return found

    def ticket_of(self, clock: UUID) -> UUID:
        """Its ticket."""
        row = self.conn.execute(_CLOCK_TICKET, (clock,)).fetchone()
        if row is None or not isinstance(row[0], UUID):
            raise UnknownError(f"there is no clock {clock}")
        return row[0]

    def open_of(self, ticket: UUID) -> list[LevelClock]:
        """The open ones, locked."""
        with self.conn.cursor(row_factory=kwargs_row(_clock_row)) as cursor:
            return cursor.execute(_OPEN_CLOCKS, (ticket,)).fetchall()

    def of_ticket(self, ticket: UUID) -> list[LevelClock]:
        """All."""
        with self.conn.cursor(row_factory=kwargs_row(_clock_row)) as cursor:
            return cursor.execute(_CLOCKS, (ticket,)).fetchall()

    def save(self, clock: LevelClock) -> None:
        """Write it."""
        self.conn.execute(_SAVE_CLOCK, values(clock))

    def pause(self, pause: Pause) -> None:
        """Begin a pause."""
        self.conn.execute(_PAUSE, values(pause))

    def resume(self, clock: UUID, reason: str, at: datetime) -> None:
        """End a pause."""
        self.conn.execute(_RESUME, (at, clock, reason))

    def pauses(self, ticket: UUID) -> list[Pause]:
        """By begin."""
        with self.conn.cursor(row_factory=class_row(Pause)) as cursor:
            return cursor.execute(_PAUSES, (ticket,)).fetchall()

    def compensate(self, compensation: Compensation) -> bool:
        """Once a clock."""
        return self.conn.execute(_COMPENSATE, values(compensation)).rowcount == 1

    def compensations(self, ticket: UUID) -> list[Compensation]:
        """Oldest first."""
        with self.conn.cursor(row_factory=class_row(Compensation)) as cursor:
            return cursor.execute(_COMPENSATIONS, (ticket,)).fetchall()

    def tier(self, household: UUID) -> str:
        """The tier."""
        row = self.conn.execute(_TIER, (household,)).fetchone()
        return STANDARD if row is None else str(row[0])

    def set_tier(self, household: UUID, tier: str, named_contact: str = "") -> None:
        """Set it."""
        self.conn.execute(_SET_TIER, (household, tier, named_contact))

    def state_of(self, ticket: UUID) -> TicketState:
        """A ticket's state."""
        row = self.conn.execute(_STATE, (ticket,)).fetchone()
        if row is None:
            raise UnknownError(f"there is no ticket {ticket}")
        return TicketState(str(row[0]))


@dataclass(frozen=True, slots=True)
class PgCalls:
    """Calls, roster, mails."""

    conn: Connection

    def add(self, task: CallTask) -> None:
        """Enter a task."""
        self.conn.execute(_ADD_TASK, values(task))

    def get(self, task: UUID) -> CallTask:
        """A task, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_task_row)) as cursor:
            found = cursor.execute(_GET_TASK, (task,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no call task {task}")
        return found

    def of_ticket(self, ticket: UUID) -> list[CallTask]:
        """Oldest first, locked."""
        with self.conn.cursor(row_factory=kwargs_row(_task_row)) as cursor:
            return cursor.execute(_TASKS, (ticket,)).fetchall()

    def save(self, task: CallTask) -> None:
        """Write it."""
        self.conn.execute(_SAVE_TASK, values(task))

    def opened(self, org: str | None, start: datetime, end: datetime) -> list[CallTask]:
        """In a span."""
        with self.conn.cursor(row_factory=kwargs_row(_task_row)) as cursor:
            return cursor.execute(_TASKS_OPENED, {"org": org, "start": start, "end": end}).fetchall()

    def add_oncall(self, row: OnCall) -> None:
        """Enter a person."""
        wanted = (row.id, row.org, row.step, row.name, row.address, row.start, row.until)
        try:
            with self.conn.transaction():
                self.conn.execute(_ADD_ONCALL, wanted)
        except errors.ExclusionViolation as cause:
            raise taken_twice(row) from cause

    def drop_oncall(self, row: UUID, at: datetime) -> None:
        """Take a person off."""
        self.conn.execute(_NEVER_ONCALL, (row, at))
        self.conn.execute(_DROP_ONCALL, (at, row, at))

    def oncall(self, org: str, at: datetime) -> list[OnCall]:
        """Who is on call."""
        with self.conn.cursor(row_factory=class_row(OnCall)) as cursor:
            return cursor.execute(_ONCALL, (org, at)).fetchall()

    def add_page(self, page: Page) -> bool:
        """Once a step."""
        return self.conn.execute(_ADD_PAGE, values(page)).rowcount == 1

    def page(self, page: UUID) -> Page:
        """A page, its row locked."""
        with self.conn.cursor(row_factory=class_row(Page)) as cursor:
            found = cursor.execute(_GET_PAGE, (page,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no page {page}")
        return found

    def pages(self, ticket: UUID) -> list[Page]:
        """By time."""
        with self.conn.cursor(row_factory=class_row(Page)) as cursor:
            return cursor.execute(_PAGES, (ticket,)).fetchall()

    def save_page(self, page: Page) -> None:
        """Write it."""
        self.conn.execute(_SAVE_PAGE, values(page))

    def take_mail(self, mail: MailIn) -> bool:
        """Once a Message-ID."""
        return self.conn.execute(_TAKE_MAIL, values(mail)).rowcount == 1

    def unmatched(self, limit: int) -> list[MailIn]:
        """Newest first."""
        with self.conn.cursor(row_factory=class_row(MailIn)) as cursor:
            return cursor.execute(_UNMATCHED, (limit,)).fetchall()


class PgLevels:
    """All three on one connection."""

    def __init__(self, conn: Connection) -> None:
        self.clocks = PgClocks(conn)
        self.calls = PgCalls(conn)
        self.reach = PgReach(conn)
