"""Self-help, surveys, consent and the audit log on PostgreSQL: a given connection, the transaction at the edge."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from psycopg.rows import class_row, kwargs_row
from psycopg.types.json import Jsonb

from servicedesk.care_rows import (
    AuditRow,
    CheckAnswer,
    ConsentChange,
    Erasure,
    Photo,
    Purpose,
    SelfTest,
    SelfTestStatus,
    Survey,
)
from servicedesk.errors import UnknownError
from servicedesk.model import TicketEvent
from storage.desk_access import PgAccess
from storage.desk_rows import event_row
from storage.pool import Connection

_ANSWER = """
insert into self_check (ticket, episode, fault, step, answer, leads, note, actor, at)
values (%(ticket)s, %(episode)s, %(fault)s, %(step)s, %(answer)s, %(leads)s, %(note)s, %(actor)s, %(at)s)
on conflict (ticket, episode, fault, step) do update set answer = excluded.answer, leads = excluded.leads,
    note = excluded.note, actor = excluded.actor, at = excluded.at
"""
_ANSWERS = """
select ticket, episode, fault, step, answer, leads, note, actor, at from self_check where ticket = %s
order by episode, fault, step
"""
_TEST = "id, ticket, device, actor, asked, sent, answered, status, values, error"
_ADD_TEST = """
insert into self_test (id, ticket, device, actor, asked) values (%(id)s, %(ticket)s, %(device)s, %(actor)s, %(asked)s)
"""
_GET_TEST = f"select {_TEST} from self_test where id = %s for update"  # noqa: S608  (constants of this module)
_SAVE_TEST = """
update self_test set sent = %(sent)s, answered = %(answered)s, status = %(status)s, values = %(values)s,
    error = %(error)s where id = %(id)s
"""
_TEST_ANSWER = "select body from control_entry where id = %s and kind = 'self_test' and effect_seq is not null"
_TESTS = f"select {_TEST} from self_test where ticket = %s order by asked, id"  # noqa: S608  (likewise)
_ADD_PHOTO = """
insert into photo (id, ticket, at, actor, media, sha256, content)
values (%(id)s, %(ticket)s, %(at)s, %(actor)s, %(media)s, %(sha256)s, %(content)s) on conflict do nothing
"""
_PHOTOS = "select id, ticket, at, actor, media, sha256 from photo where ticket = %s order by at, id"
_PHOTO = "select id, ticket, at, actor, media, sha256, content from photo where id = %s"

_ASK = "insert into survey (ticket, asked) values (%s, %s) on conflict do nothing"
_SURVEY = "select ticket, asked, score, words, follow_up, answered from survey where ticket = %s for update"
_SAVE_SURVEY = """
update survey set score = %(score)s, words = %(words)s, follow_up = %(follow_up)s, answered = %(answered)s
where ticket = %(ticket)s
"""
# A household that does not agree to analytics does not count.
_COUNTS = """
join ticket t on t.id = x.ticket left join household h on h.id = t.household
where (%(org)s::text is null or t.org = %(org)s) and coalesce(h.consent_analytics, true)
"""
_ANSWERED = f"""
select x.ticket, x.asked, x.score, x.words, x.follow_up, x.answered from survey x {_COUNTS}
  and x.answered >= %(since)s and x.answered < %(until)s order by x.answered, x.ticket
"""  # noqa: S608  (likewise)
_LINES = f"""
select x.id, x.ticket, x.at, x.kind, x.actor, x.body from ticket_event x {_COUNTS}
  and x.kind = any(%(kinds)s) and x.at >= %(since)s and x.at < %(until)s order by x.id
"""  # noqa: S608  (likewise)

_COUNTED = """
select t.id from ticket t left join household h on h.id = t.household
where t.id = any(%s) and coalesce(h.consent_analytics, true)
"""
_CONSENTS = """
select consent_alerts, consent_service, consent_analytics, consent_follow_up from household where id = %s
"""
_SET = {
    Purpose.ALERTS: "update household set consent_alerts = %s where id = %s",
    Purpose.SERVICE: "update household set consent_service = %s where id = %s",
    Purpose.ANALYTICS: "update household set consent_analytics = %s where id = %s",
    Purpose.FOLLOW_UP: "update household set consent_follow_up = %s where id = %s",
}
_CHANGE = """
insert into consent_change (id, household, purpose, granted, at, actor)
values (%(id)s, %(household)s, %(purpose)s, %(granted)s, %(at)s, %(actor)s)
"""
_HISTORY = """
select id, household, purpose, granted, at, actor from consent_change where household = %s order by at, id
"""
_DEVICES = "select no from device where household = %s order by no"
_TICKETS = "select id from ticket where household = %s order by opened, id"
_ASK_ERASURE = """
insert into erasure (household, requested, actor) values (%s, %s, %s) on conflict do nothing
"""
_ERASURE = "select household, requested, actor, done, report from erasure where household = %s for update"
_ERASED = "update erasure set done = %s, report = %s where household = %s"
# Each clears one sort of rows; all take the household's id and the moment.
_OF_CASES = "select id from ticket where household = %(household)s"
_CLEAR: Mapping[str, str] = {
    "household": """
        update household set name = '', address = '', area = '', latitude = null, longitude = null, erased = %(at)s
        where id = %(household)s""",
    "contacts": "delete from contact where household = %(household)s",
    "channels": "delete from contact_channel where household = %(household)s",
    "appliances": "update device set room = null where household = %(household)s",
    "notices": """
        update notice set address = '', subject = '', body = '', link = '' where household = %(household)s""",
    "lines": f"""
        update ticket_event set body = body - '{{words,note,reason,address,sender,unknown_sender}}'::text[]
        where ticket in ({_OF_CASES}) and body ?| '{{words,note,reason,address,sender,unknown_sender}}'""",  # noqa: S608
    "photos": f"delete from photo where ticket in ({_OF_CASES})",  # noqa: S608
    "answers": f"""
        with noted as (update self_check set note = '' where ticket in ({_OF_CASES}) and note <> '' returning 1),
             said as (update survey set words = '' where ticket in ({_OF_CASES}) and words <> '' returning 1)
        select 1 from noted union all select 1 from said""",  # noqa: S608
    "access": "delete from household_access where household = %(household)s",
}
# What only the database has.
_CLEAR_ALSO = (
    "delete from household_tier where household = %(household)s",
    "delete from stale_phone where household = %(household)s",
    f"delete from technician_position where visit in (select id from visit where ticket in ({_OF_CASES}))",  # noqa: S608
    f"update mail_in set sender = '', subject = '', words = '' where ticket in ({_OF_CASES})",  # noqa: S608
    f"update notice_attempt set address = '' where notice in (select id from notice where ticket in ({_OF_CASES}))",  # noqa: S608
    f"update board_move set reason = '' where ticket in ({_OF_CASES})",  # noqa: S608
    f"update call_task set note = '' where ticket in ({_OF_CASES})",  # noqa: S608
    f"update warranty_decision set words = '' where ticket in ({_OF_CASES})",  # noqa: S608
    f"update outcome set note = '' where visit in (select id from visit where ticket in ({_OF_CASES}))",  # noqa: S608
    f"""update access_token set revoked = %(at)s where revoked is null
        and (household = %(household)s or ticket in ({_OF_CASES}))""",  # noqa: S608
)

_APPEND = "insert into audit_intake (content) values (%s)"
_SEAL = "set constraints audit_intake_seal immediate"
_SEAL_LATER = "set constraints audit_intake_seal deferred"
_ROWS = "select seq, content, prev, hash from audit_log where seq > %s order by seq limit 1000"
_PAGE = """
select seq, content, prev, hash from audit_log
where (%(household)s::text is null or content::jsonb ->> 'household' = %(household)s)
  and (%(before)s::bigint is null or seq < %(before)s)
order by seq desc limit %(limit)s
"""


def _test(*, status: str | None, **columns: Any) -> SelfTest:  # noqa: ANN401  (columns of one row)
    return SelfTest(status=None if status is None else SelfTestStatus(status), **columns)


def _consent(*, purpose: str, **columns: Any) -> ConsentChange:  # noqa: ANN401  (columns of one row)
    return ConsentChange(purpose=Purpose(purpose), **columns)


@dataclass(frozen=True, slots=True)
class PgSelfHelp:
    """Answers, self-tests, photos."""

    conn: Connection

    def answer(self, answer: CheckAnswer) -> None:
        """The last word on a step."""
        self.conn.execute(_ANSWER, asdict(answer))

    def answers(self, ticket: UUID) -> list[CheckAnswer]:
        """By episode and step."""
        with self.conn.cursor(row_factory=class_row(CheckAnswer)) as cursor:
            return cursor.execute(_ANSWERS, (ticket,)).fetchall()

    def add_test(self, test: SelfTest) -> None:
        """Enter."""
        self.conn.execute(_ADD_TEST, asdict(test))

    def get_test(self, test: UUID) -> SelfTest:
        """The self-test, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_test)) as cursor:
            found = cursor.execute(_GET_TEST, (test,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no self-test {test}")
        return found

    def save_test(self, test: SelfTest) -> None:
        """Write."""
        self.conn.execute(_SAVE_TEST, asdict(test) | {"values": Jsonb(test.values)})

    def test_answer(self, test: UUID) -> Mapping[str, Any] | None:
        """What the device said."""
        row = self.conn.execute(_TEST_ANSWER, (test,)).fetchone()
        return None if row is None else cast("Mapping[str, Any]", row[0])

    def tests(self, ticket: UUID) -> list[SelfTest]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(_test)) as cursor:
            return cursor.execute(_TESTS, (ticket,)).fetchall()

    def add_photo(self, photo: Photo) -> bool:
        """Enter once."""
        return self.conn.execute(_ADD_PHOTO, asdict(photo)).rowcount == 1

    def photos(self, ticket: UUID) -> list[Photo]:
        """Oldest first, without content."""
        with self.conn.cursor(row_factory=class_row(Photo)) as cursor:
            return cursor.execute(_PHOTOS, (ticket,)).fetchall()

    def photo(self, photo: UUID) -> Photo:
        """With content."""
        with self.conn.cursor(row_factory=class_row(Photo)) as cursor:
            found = cursor.execute(_PHOTO, (photo,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no photo {photo}")
        return found


@dataclass(frozen=True, slots=True)
class PgSurveys:
    """How content owners were."""

    conn: Connection

    def ask(self, survey: Survey) -> bool:
        """Once."""
        return self.conn.execute(_ASK, (survey.ticket, survey.asked)).rowcount == 1

    def get(self, ticket: UUID) -> Survey | None:
        """The survey, its row locked."""
        with self.conn.cursor(row_factory=class_row(Survey)) as cursor:
            return cursor.execute(_SURVEY, (ticket,)).fetchone()

    def save(self, survey: Survey) -> None:
        """Write."""
        self.conn.execute(_SAVE_SURVEY, asdict(survey))

    def answered(self, org: str | None, since: datetime, until: datetime) -> list[Survey]:
        """Oldest first."""
        with self.conn.cursor(row_factory=class_row(Survey)) as cursor:
            return cursor.execute(_ANSWERED, {"org": org, "since": since, "until": until}).fetchall()

    def lines(self, org: str | None, kinds: Collection[str], since: datetime, until: datetime) -> list[TicketEvent]:
        """Oldest first."""
        span = {"org": org, "kinds": list(kinds), "since": since, "until": until}
        with self.conn.cursor(row_factory=kwargs_row(event_row)) as cursor:
            return cursor.execute(_LINES, span).fetchall()


@dataclass(frozen=True, slots=True)
class PgPrivacy:
    """Consent and erasure."""

    conn: Connection

    def counted(self, tickets: Collection[UUID]) -> set[UUID]:
        """Those of households that agree, or of none."""
        return {cast("UUID", row[0]) for row in self.conn.execute(_COUNTED, (list(tickets),))}

    def consents(self, household: UUID) -> Mapping[Purpose, bool]:
        """Now."""
        row = self.conn.execute(_CONSENTS, (household,)).fetchone()
        if row is None:
            raise UnknownError(f"there is no household {household}")
        return {purpose: bool(granted) for purpose, granted in zip(Purpose, row, strict=True)}

    def change(self, change: ConsentChange) -> None:
        """From now on."""
        self.conn.execute(_SET[change.purpose], (change.granted, change.household))
        self.conn.execute(_CHANGE, asdict(change))

    def history(self, household: UUID) -> list[ConsentChange]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(_consent)) as cursor:
            return cursor.execute(_HISTORY, (household,)).fetchall()

    def devices(self, household: UUID) -> list[int]:
        """By number."""
        return [row[0] for row in self.conn.execute(_DEVICES, (household,)) if isinstance(row[0], int)]

    def tickets(self, household: UUID) -> list[UUID]:
        """Oldest first."""
        return [row[0] for row in self.conn.execute(_TICKETS, (household,)) if isinstance(row[0], UUID)]

    def ask_erasure(self, erasure: Erasure) -> bool:
        """Once."""
        row = (erasure.household, erasure.requested, erasure.actor)
        return self.conn.execute(_ASK_ERASURE, row).rowcount == 1

    def erasure(self, household: UUID) -> Erasure | None:
        """The wish, its row locked."""
        with self.conn.cursor(row_factory=class_row(Erasure)) as cursor:
            return cursor.execute(_ERASURE, (household,)).fetchone()

    def erased(self, erasure: Erasure) -> None:
        """Write."""
        self.conn.execute(_ERASED, (erasure.done, Jsonb(erasure.report), erasure.household))

    def erase(self, household: UUID, at: datetime) -> Mapping[str, int]:
        """Clear what names the household."""
        given = {"household": household, "at": at}
        cleared = {what: self.conn.execute(statement, given).rowcount for what, statement in _CLEAR.items()}
        for statement in _CLEAR_ALSO:
            self.conn.execute(statement, given)
        return cleared


@dataclass(frozen=True, slots=True)
class PgAudit:
    """The audit log. A row is chained when its transaction ends, or when this transaction looks at the log."""

    conn: Connection

    def append(self, content: str) -> None:
        """Add a row."""
        self.conn.execute(_APPEND, (content,))

    def rows(self) -> Iterator[AuditRow]:
        """By number, a thousand at a time."""
        self._seal()
        last = 0
        with self.conn.cursor(row_factory=class_row(AuditRow)) as cursor:
            while found := cursor.execute(_ROWS, (last,)).fetchall():
                yield from found
                last = found[-1].seq

    def page(self, *, household: UUID | None, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Newest first."""
        self._seal()
        given = {"household": None if household is None else str(household), "before": before, "limit": limit}
        with self.conn.cursor(row_factory=class_row(AuditRow)) as cursor:
            return cursor.execute(_PAGE, given).fetchall()

    def _seal(self) -> None:
        self.conn.execute(_SEAL)
        self.conn.execute(_SEAL_LATER)


class PgCare:
    """All of them on one connection."""

    def __init__(self, conn: Connection) -> None:
        self.help = PgSelfHelp(conn)
        self.surveys = PgSurveys(conn)
        self.privacy = PgPrivacy(conn)
        self.audit = PgAudit(conn)
        self.access = PgAccess(conn)
