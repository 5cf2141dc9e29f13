"""The dispatch board's moves on PostgreSQL."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from servicedesk.errors import UnknownError
from servicedesk.moves import BoardMove, Consent, MoveState
from storage.pool import Connection

_COLUMNS = "id, org, ticket, actor, at, until, visit, old, before, version, owner, rules, reason, state, decided"
_ADD = """
insert into board_move (id, org, ticket, actor, at, until, visit, old, before, version, owner, rules, reason, state,
    decided)
values (%(id)s, %(org)s, %(ticket)s, %(actor)s, %(at)s, %(until)s, %(visit)s, %(old)s, %(before)s, %(version)s,
    %(owner)s, %(rules)s, %(reason)s, %(state)s, %(decided)s)
"""
_GET = f"select {_COLUMNS} from board_move where id = %s for update"  # noqa: S608  (constants of this module)
_TICKET_OF = "select ticket from board_move where id = %s"
_OPEN_OF = f"""
select {_COLUMNS} from board_move where ticket = %s and state = 'open' order by at, id for update
"""  # noqa: S608  (likewise)
_OF_VISIT = f"""
select {_COLUMNS} from board_move where ticket = (select ticket from visit where id = %s) and visit = %s
"""  # noqa: S608  (likewise)
_SAVE = "update board_move set state = %s, decided = %s where id = %s"
_LATEST = f"""
select {_COLUMNS} from board_move where actor = %s and until > %s and state = 'open'
order by until desc, id desc limit 1
"""  # noqa: S608  (likewise)


@dataclass(frozen=True, slots=True)
class PgMoves:
    """See `servicedesk.ports_planning.Moves`."""

    conn: Connection

    def add(self, move: BoardMove) -> None:
        """Enter a move."""
        self.conn.execute(_ADD, asdict(move) | {"before": Jsonb(move.before), "rules": list(move.rules)})

    def get(self, move: UUID) -> BoardMove:
        """The move, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_move)) as cursor:
            found = cursor.execute(_GET, (move,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no move {move}")
        return found

    def ticket_of(self, move: UUID) -> UUID:
        """Its ticket, without a lock."""
        row = self.conn.execute(_TICKET_OF, (move,)).fetchone()
        if row is None or not isinstance(row[0], UUID):
            raise UnknownError(f"there is no move {move}")
        return row[0]

    def open_of(self, ticket: UUID) -> list[BoardMove]:
        """Told to nobody yet, their rows locked."""
        with self.conn.cursor(row_factory=kwargs_row(_move)) as cursor:
            return cursor.execute(_OPEN_OF, (ticket,)).fetchall()

    def save(self, move: BoardMove) -> None:
        """Write what became of it."""
        self.conn.execute(_SAVE, (move.state, move.decided, move.id))

    def of_visit(self, visit: UUID) -> BoardMove | None:
        """The move that made a visit."""
        with self.conn.cursor(row_factory=kwargs_row(_move)) as cursor:
            return cursor.execute(_OF_VISIT, (visit, visit)).fetchone()

    def latest(self, actor: str, wall: datetime) -> BoardMove | None:
        """The newest that can be taken back."""
        with self.conn.cursor(row_factory=kwargs_row(_move)) as cursor:
            return cursor.execute(_LATEST, (actor, wall)).fetchone()


def _move(*, owner: str, state: str, rules: list[str], **columns: Any) -> BoardMove:  # noqa: ANN401  (columns of one row)
    return BoardMove(owner=Consent(owner), state=MoveState(state), rules=tuple(rules), **columns)
