"""A technician's day on PostgreSQL: a position is written only while its visit is being travelled to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import args_row, class_row

from servicedesk.day_rows import Delay, Position, Tick
from servicedesk.errors import UnknownError
from servicedesk.travel import Place
from storage.pool import Connection

_TICK = """
insert into visit_tick (visit, step, done, at, actor) values (%(visit)s, %(step)s, %(done)s, %(at)s, %(actor)s)
on conflict (visit, step) do update set done = excluded.done, at = excluded.at, actor = excluded.actor
"""
_TICKS = 'select visit, step, done, at, actor from visit_tick where visit = %s order by step collate "C"'
_DELAY = """
insert into visit_delay (visit, expected, at, actor) values (%(visit)s, %(expected)s, %(at)s, %(actor)s)
on conflict (visit) do update set expected = excluded.expected, at = excluded.at, actor = excluded.actor,
    times = visit_delay.times + 1
returning visit, expected, at, actor, times
"""
_DELAY_OF = "select visit, expected, at, actor, times from visit_delay where visit = %s"
# The visit's row is held, so that no position slips in behind the end of the journey.
_TRAVELS = "select from visit where id = %s and state = 'travelling' for share"
_PLACE = """
insert into technician_position (visit, at, lat, lon) values (%s, %s, %s, %s)
on conflict (visit) do update set at = excluded.at, lat = excluded.lat, lon = excluded.lon
    where technician_position.at <= excluded.at
"""
_POSITION = "select visit, at, lat, lon from technician_position where visit = %s"
_FORGET = "delete from technician_position where visit = %s"


def _position(visit: UUID, at: datetime, lat: float, lon: float) -> Position:
    return Position(visit=visit, at=at, place=Place(lat, lon))


@dataclass(frozen=True, slots=True)
class PgDay:
    """Implements `servicedesk.ports_day.DayBook`."""

    conn: Connection

    def tick(self, tick: Tick) -> None:
        """The last word."""
        self.conn.execute(_TICK, asdict(tick))

    def ticks(self, visit: UUID) -> list[Tick]:
        """By step."""
        with self.conn.cursor(row_factory=class_row(Tick)) as cursor:
            return cursor.execute(_TICKS, (visit,)).fetchall()

    def delay(self, delay: Delay) -> Delay:
        """Replace and count."""
        with self.conn.cursor(row_factory=class_row(Delay)) as cursor:
            found = cursor.execute(_DELAY, asdict(delay)).fetchone()
        if found is None:
            raise UnknownError(f"there is no visit {delay.visit}")
        return found

    def delay_of(self, visit: UUID) -> Delay | None:
        """Said last."""
        with self.conn.cursor(row_factory=class_row(Delay)) as cursor:
            return cursor.execute(_DELAY_OF, (visit,)).fetchone()

    def place(self, position: Position) -> bool:
        """The newest, while somebody travels."""
        if self.conn.execute(_TRAVELS, (position.visit,)).rowcount != 1:
            return False
        row = (position.visit, position.at, position.place.latitude, position.place.longitude)
        self.conn.execute(_PLACE, row)
        return True

    def position(self, visit: UUID) -> Position | None:
        """Now."""
        with self.conn.cursor(row_factory=args_row(_position)) as cursor:
            return cursor.execute(_POSITION, (visit,)).fetchone()

    def forget(self, visit: UUID) -> None:
        """Gone."""
        self.conn.execute(_FORGET, (visit,))
