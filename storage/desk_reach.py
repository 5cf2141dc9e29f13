"""Ways to households on PostgreSQL: channels, attempts, outages, silences."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, kwargs_row

from servicedesk.errors import UnknownError
from servicedesk.level_rows import Attempt, ContactChannel, Outage, Silence, SilenceKind, Suppressed
from servicedesk.model import Notice
from storage.desk_rows import NOTICE_COLUMNS, notice_row
from storage.pool import Connection

_CHANNEL = "id, org, household, url, rank, stale"
_ADD_CHANNEL = f"""
insert into contact_channel ({_CHANNEL}) values (%(id)s, %(org)s, %(household)s, %(url)s, %(rank)s, %(stale)s)
"""  # noqa: S608  (constants of this module)
_GET_CHANNEL = f"select {_CHANNEL} from contact_channel where id = %s"  # noqa: S608  (likewise)
_CHANNELS = f"""
select {_CHANNEL} from contact_channel
where stale is null and (household = %(household)s or (household is null and org = %(org)s))
order by household is null, rank, id
"""  # noqa: S608  (likewise)
_STALE_CHANNEL = "update contact_channel set stale = %s where id = %s"
_STALE_PHONE = "update contact set phone = null where household = %s and phone = %s"
_REMEMBER_PHONE = "insert into stale_phone (household, phone, at) values (%s, %s, %s) on conflict do nothing"
_ATTEMPTED = """
insert into notice_attempt (notice, rung, channel, address, at, why)
values (%(notice)s, %(rung)s, %(channel)s, %(address)s, %(at)s, %(why)s) on conflict do nothing
"""
_ATTEMPTS = "select notice, rung, channel, address, at, why from notice_attempt where notice = %s order by rung"
_BY_MESSAGE = f"select {NOTICE_COLUMNS} from notice where message_id = any(%s) order by queued, id for update"  # noqa: S608  (likewise)
_BY_REF = "select id from ticket where ref = %s"
_WAITING = f"select {NOTICE_COLUMNS} from notice where channel = %s and state = 'queued' order by queued, id"  # noqa: S608  (likewise)
_OUTAGE = "id, channel, since, failures, why, warned, ended"
_FAILED = f"""
insert into channel_outage ({_OUTAGE})
values (%(id)s, %(channel)s, %(since)s, %(failures)s, %(why)s, %(warned)s, %(ended)s)
on conflict (channel) where ended is null
do update set failures = channel_outage.failures + 1, why = excluded.why
returning {_OUTAGE}
"""  # noqa: S608  (likewise)
_WORKED = "update channel_outage set ended = %s where channel = %s and ended is null"
_GET_OUTAGE = f"select {_OUTAGE} from channel_outage where id = %s for update"  # noqa: S608  (likewise)
_OUTAGES = f"select {_OUTAGE} from channel_outage where ended is null order by since, id"  # noqa: S608  (likewise)
_SAVE_OUTAGE = "update channel_outage set warned = %(warned)s, ended = %(ended)s where id = %(id)s"
_SILENCE = "id, org, kind, start, until, made_by, reason, household, device, ticket"
_ADD_SILENCE = f"""
insert into silence ({_SILENCE}) values (%(id)s, %(org)s, %(kind)s, %(start)s, %(until)s, %(made_by)s, %(reason)s,
    %(household)s, %(device)s, %(ticket)s)
"""  # noqa: S608  (likewise)
_END_SILENCE = "update silence set until = %s where id = %s"
_SILENCES = f"""
select {_SILENCE} from silence
where (%(org)s::text is null or org = %(org)s) and start <= %(at)s and (until is null or %(at)s < until)
order by start, id
"""  # noqa: S608  (likewise)
_SUPPRESSED = """
insert into suppressed (silence, ticket, stage, at, until)
values (%(silence)s, %(ticket)s, %(stage)s, %(at)s, %(until)s)
"""
_SUPPRESSIONS = "select silence, ticket, stage, at, until from suppressed where silence = %s order by id"


def _values(row: object) -> dict[str, Any]:
    return {each.name: getattr(row, each.name) for each in fields(row)}  # type: ignore[arg-type]


def _silence_row(*, kind: str, **columns: Any) -> Silence:  # noqa: ANN401  (columns of one row)
    return Silence(kind=SilenceKind(kind), **columns)


@dataclass(frozen=True, slots=True)
class PgReach:
    """Channels."""

    conn: Connection

    def add_channel(self, channel: ContactChannel) -> None:
        """See `servicedesk.ports_levels`, here and below."""
        self.conn.execute(_ADD_CHANNEL, _values(channel))

    def channel(self, channel: UUID) -> ContactChannel:
        """A channel."""
        with self.conn.cursor(row_factory=class_row(ContactChannel)) as cursor:
            found = cursor.execute(_GET_CHANNEL, (channel,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no channel {channel}")
        return found

    def channels(self, org: str, household: UUID) -> list[ContactChannel]:
        """Own first."""
        with self.conn.cursor(row_factory=class_row(ContactChannel)) as cursor:
            return cursor.execute(_CHANNELS, {"org": org, "household": household}).fetchall()

    def stale_channel(self, channel: UUID, at: datetime) -> None:
        """Mark it."""
        self.conn.execute(_STALE_CHANNEL, (at, channel))

    def stale_phone(self, household: UUID, phone: str, at: datetime) -> None:
        """Take a number away; that it was there is remembered."""
        if self.conn.execute(_STALE_PHONE, (household, phone)).rowcount:
            self.conn.execute(_REMEMBER_PHONE, (household, phone, at))

    def attempted(self, attempt: Attempt) -> None:
        """Note a rung."""
        self.conn.execute(_ATTEMPTED, _values(attempt))

    def attempts(self, notice: UUID) -> list[Attempt]:
        """By rung."""
        with self.conn.cursor(row_factory=class_row(Attempt)) as cursor:
            return cursor.execute(_ATTEMPTS, (notice,)).fetchall()

    def notices_of(self, message_ids: Collection[str]) -> list[Notice]:
        """By Message-ID."""
        with self.conn.cursor(row_factory=kwargs_row(notice_row)) as cursor:
            return cursor.execute(_BY_MESSAGE, (list(message_ids),)).fetchall()

    def ticket_of_ref(self, ref: str) -> UUID | None:
        """By reference."""
        row = self.conn.execute(_BY_REF, (ref,)).fetchone()
        return row[0] if row is not None and isinstance(row[0], UUID) else None

    def waiting(self, channel: str) -> list[Notice]:
        """What a channel has not taken."""
        with self.conn.cursor(row_factory=kwargs_row(notice_row)) as cursor:
            return cursor.execute(_WAITING, (channel,)).fetchall()

    def failed(self, outage: Outage) -> Outage:
        """Count a failure."""
        with self.conn.cursor(row_factory=class_row(Outage)) as cursor:
            found = cursor.execute(_FAILED, _values(outage)).fetchone()
        if found is None:  # an upsert gives its row
            raise UnknownError(f"there is no outage of {outage.channel}")
        return found

    def worked(self, channel: str, at: datetime) -> None:
        """End an outage."""
        self.conn.execute(_WORKED, (at, channel))

    def outage(self, outage: UUID) -> Outage:
        """An outage, its row locked."""
        with self.conn.cursor(row_factory=class_row(Outage)) as cursor:
            found = cursor.execute(_GET_OUTAGE, (outage,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no outage {outage}")
        return found

    def outages(self) -> list[Outage]:
        """The open ones."""
        with self.conn.cursor(row_factory=class_row(Outage)) as cursor:
            return cursor.execute(_OUTAGES).fetchall()

    def save_outage(self, outage: Outage) -> None:
        """Write it."""
        self.conn.execute(_SAVE_OUTAGE, _values(outage))

    def silence(self, silence: Silence) -> None:
        """Enter a silence."""
        self.conn.execute(_ADD_SILENCE, _values(silence))

    def end_silence(self, silence: UUID, at: datetime) -> None:
        """End it."""
        if self.conn.execute(_END_SILENCE, (at, silence)).rowcount != 1:
            raise UnknownError(f"there is no silence {silence}")

    def silences(self, org: str | None, at: datetime) -> list[Silence]:
        """Those in force."""
        with self.conn.cursor(row_factory=kwargs_row(_silence_row)) as cursor:
            return cursor.execute(_SILENCES, {"org": org, "at": at}).fetchall()

    def suppressed(self, row: Suppressed) -> None:
        """Log it."""
        self.conn.execute(_SUPPRESSED, _values(row))

    def suppressions(self, silence: UUID) -> list[Suppressed]:
        """Oldest first."""
        with self.conn.cursor(row_factory=class_row(Suppressed)) as cursor:
            return cursor.execute(_SUPPRESSIONS, (silence,)).fetchall()
