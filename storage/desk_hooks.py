"""Webhooks on PostgreSQL. Deliveries are entered by the transaction that numbers a change: see `storage.api_events`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.hook_rows import Cause, Change, Delivery, DeliveryState, HookState, Webhook
from storage.jobs import HOOKS, defer
from storage.pool import Connection

SEND = "send_webhook"
"""The job that sends what waits for one endpoint."""

_HOOK = "id, org, url, note, types, areas, secret, old_secret, old_until, state, why, made, failing, stopped, version"
_ADD = """
insert into webhook (id, org, url, note, types, areas, secret, made, state)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# Not `for update`: entering a delivery refers to the row, and shall not wait for a person's change of it.
_GET = f"select {_HOOK} from webhook where id = %s for no key update"  # noqa: S608  (constants of this module)
_READ = f"select {_HOOK} from webhook where id = %s"  # noqa: S608  (likewise)
_LISTED = f"select {_HOOK} from webhook where (%(org)s::text is null or org = %(org)s) order by made, id"  # noqa: S608  (likewise)
_SAVE = """
update webhook set url = %s, note = %s, types = %s, areas = %s, secret = %s, old_secret = %s, old_until = %s,
    state = %s, why = %s, failing = %s, stopped = %s, version = version + 1
where id = %s and version = %s
"""
_REMOVE = "delete from webhook where id = %s"
_FEED = "select newest, forgotten from api_feed for update"
_NUMBER_AT = """
select coalesce((select max(no) from api_event where numbered < %s), (select forgotten from api_feed))
"""
_WANTED = """
insert into webhook_delivery (webhook, cause, event, made, due)
select w.id, %(cause)s,
    jsonb_build_object('no', e.no, 'org', e.org, 'kind', e.kind, 'subject', e.subject, 'what', e.what,
        'state', e.state, 'was', e.was, 'ticket', e.ticket, 'at', e.numbered),
    %(now)s, %(now)s
from api_event e
join webhook w on w.org = e.org and w.state = 'enabled' and (%(hook)s::uuid is null or w.id = %(hook)s)
    and (w.types = '{}' or e.kind = any(w.types))
    and (w.areas = '{}' or e.household in (select id from household where area = any(w.areas)))
where e.no > %(after)s and e.no <= %(upto)s
order by e.no
returning webhook
"""
_KNOWN = "select to_regclass('webhook_delivery') is not null"
_RESETS = """
insert into webhook_delivery (webhook, cause, event, made, due)
select w.id, 'change',
    jsonb_build_object('no', f.forgotten, 'org', w.org, 'kind', 'feed', 'subject', w.org, 'what', 'reset',
        'state', 'reset', 'was', null, 'ticket', null, 'at', %(now)s::timestamptz),
    %(now)s, %(now)s
from webhook w cross join api_feed f where w.state = 'enabled'
returning webhook
"""
_ROW = "id, place, webhook, cause, event, state, made, due, tries, round, tried, status, took_ms, answer, why"
_ENTER = """
insert into webhook_delivery (id, webhook, cause, event, made, due) values (%s, %s, %s, %s, %s, %s) returning place
"""
_DELIVERY = f"select {_ROW} from webhook_delivery where id = %s for update"  # noqa: S608  (likewise)
_DELIVERIES = f"""
select {_ROW} from webhook_delivery
where webhook = %(hook)s and (%(below)s::bigint is null or place < %(below)s)
  and (%(state)s::text is null or state = %(state)s)
order by place desc limit %(limit)s
"""  # noqa: S608  (likewise)
_HEAD = f"""
select {_ROW} from webhook_delivery where webhook = %s and state = 'pending' order by place limit 1
"""  # noqa: S608  (likewise)
_WAITING = "select count(*) from webhook_delivery where webhook = %s and state = 'pending'"
_SETTLE = """
update webhook_delivery set state = %s, due = %s, tries = %s, round = %s, tried = %s, status = %s, took_ms = %s,
    answer = %s, why = %s
where id = %s and tries = %s and state = 'pending'
"""
_ANEW = "update webhook_delivery set round = 0, due = %s where webhook = %s and state = 'pending'"
_DUE = """
select w.id from webhook w
cross join lateral (
    select d.due from webhook_delivery d where d.webhook = w.id and d.state = 'pending' order by d.place limit 1
) head
where w.state = 'enabled' and head.due <= %s
"""
_TIDY = """
delete from webhook_delivery where id in (
    select id from webhook_delivery where state <> 'pending' and made < %s limit 1000 for update skip locked
)
"""


def _hook(*, types: list[str], areas: list[str], state: str, **columns: Any) -> Webhook:  # noqa: ANN401  (columns of one row)
    return Webhook(types=tuple(types), areas=tuple(areas), state=HookState(state), **columns)


def _delivery(*, cause: str, state: str, event: dict[str, Any], **columns: Any) -> Delivery:  # noqa: ANN401  (columns of one row)
    return Delivery(cause=Cause(cause), state=DeliveryState(state), event=_change(**event), **columns)


def _change(*, ticket: str | None, at: str, **members: Any) -> Change:  # noqa: ANN401  (members of one value)
    return Change(ticket=None if ticket is None else UUID(ticket), at=datetime.fromisoformat(at), **members)


def _members(change: Change) -> dict[str, Any]:
    return {
        "no": change.no,
        "org": change.org,
        "kind": change.kind,
        "subject": change.subject,
        "what": change.what,
        "state": change.state,
        "was": change.was,
        "ticket": None if change.ticket is None else str(change.ticket),
        "at": change.at.isoformat(),
    }


def enter_wanted(conn: Connection, after: int, upto: int, now: datetime) -> None:
    """Enter deliveries of changes that have just been numbered, and leave the jobs that send them.

    Args:
        conn: inside the transaction that numbers.
        after: the number before the first.
        upto: the last.
        now: wall time.
    """
    given = {"hook": None, "after": after, "upto": upto, "now": now, "cause": Cause.CHANGE}
    found = {str(row[0]) for row in conn.execute(_WANTED, given)}
    for hook in sorted(found):
        wake(conn, hook)


def enter_resets(conn: Connection, now: datetime) -> None:
    """Have every enabled endpoint told that changes may be missing; one that is not is told when it goes on.

    A restored database may be of a version that knew no webhooks.
    """
    known = conn.execute(_KNOWN).fetchone()
    if known is None or not known[0]:
        return
    for row in conn.execute(_RESETS, {"now": now}).fetchall():
        wake(conn, str(row[0]))


def wake(conn: Connection, hook: str) -> None:
    """Leave the job that sends what waits for an endpoint; one that waits already is enough."""
    defer(conn, SEND, queue=HOOKS, lock=f"{SEND}:{hook}", once=f"{SEND}:{hook}", webhook=hook)


def wake_due(conn: Connection, now: datetime) -> int:
    """Leave the job for every endpoint whose turn has come; harmless when repeated. Returns how many there are.

    This is how a later try begins; and a job that ended just before a delivery was committed is made up for.
    """
    with conn.transaction():
        # In one order everywhere: jobs of one name wait for each other's transactions.
        due = sorted(str(row[0]) for row in conn.execute(_DUE, (now,)))
        for hook in due:
            wake(conn, hook)
    return len(due)


def tidy(conn: Connection, before: datetime) -> bool:
    """Remove some of what was settled and is older; the caller commits. Returns whether there was some."""
    return conn.execute(_TIDY, (before,)).rowcount > 0


@dataclass(frozen=True, slots=True)
class PgHooks:
    """Implements `servicedesk.ports_hooks.Hooks`."""

    conn: Connection

    def add(self, hook: Webhook) -> None:
        """Enter an endpoint."""
        filters = (list(hook.types), list(hook.areas))
        self.conn.execute(_ADD, (hook.id, hook.org, hook.url, hook.note, *filters, hook.secret, hook.made, hook.state))

    def get(self, hook: UUID) -> Webhook:
        """The endpoint, its row locked."""
        return self._one(_GET, hook)

    def read(self, hook: UUID) -> Webhook:
        """The endpoint."""
        return self._one(_READ, hook)

    def _one(self, statement: str, hook: UUID) -> Webhook:
        with self.conn.cursor(row_factory=kwargs_row(_hook)) as cursor:
            found = cursor.execute(statement.encode(), (hook,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no webhook {hook}")
        return found

    def listed(self, org: str | None) -> list[Webhook]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(_hook)) as cursor:
            return cursor.execute(_LISTED, {"org": org}).fetchall()

    def save(self, hook: Webhook) -> Webhook:
        """Write, version by version."""
        filters = (list(hook.types), list(hook.areas))
        secrets = (hook.secret, hook.old_secret, hook.old_until)
        standing = (hook.state, hook.why, hook.failing, hook.stopped)
        row = (hook.url, hook.note, *filters, *secrets, *standing, hook.id, hook.version)
        if self.conn.execute(_SAVE, row).rowcount != 1:
            raise ConflictError(f"webhook {hook.id} was changed by someone else; read it again")
        return replace(hook, version=hook.version + 1)

    def remove(self, hook: UUID) -> None:
        """With its line."""
        self.conn.execute(_REMOVE, (hook,))

    def feed(self) -> tuple[int, int]:
        """Newest and forgotten, the row locked as for numbering."""
        row = self.conn.execute(_FEED).fetchone()
        return (0, 0) if row is None else (int(str(row[0])), int(str(row[1])))

    def number_at(self, at: datetime) -> int:
        """The last number before a moment."""
        row = self.conn.execute(_NUMBER_AT, (at,)).fetchone()
        return 0 if row is None else int(str(row[0]))

    def queue(self, hook: Webhook, after: int, upto: int, now: datetime, cause: Cause) -> int:
        """Enter what it wants."""
        given = {"hook": hook.id, "after": after, "upto": upto, "now": now, "cause": cause}
        return self.conn.execute(_WANTED, given).rowcount

    def enter(self, delivery: Delivery) -> Delivery:
        """At the end of the line."""
        event = Jsonb(_members(delivery.event))
        row = (delivery.id, delivery.webhook, delivery.cause, event, delivery.made, delivery.due)
        placed = self.conn.execute(_ENTER, row).fetchone()
        return replace(delivery, place=0 if placed is None else int(str(placed[0])))

    def delivery(self, delivery: UUID) -> Delivery:
        """The delivery, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_delivery)) as cursor:
            found = cursor.execute(_DELIVERY, (delivery,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no delivery {delivery}")
        return found

    def deliveries(
        self, hook: UUID, *, below: int | None = None, state: DeliveryState | None = None, limit: int = 50
    ) -> list[Delivery]:
        """Newest first."""
        given = {"hook": hook, "below": below, "state": state, "limit": limit}
        with self.conn.cursor(row_factory=kwargs_row(_delivery)) as cursor:
            return cursor.execute(_DELIVERIES, given).fetchall()

    def head(self, hook: UUID) -> Delivery | None:
        """Whose turn it is."""
        with self.conn.cursor(row_factory=kwargs_row(_delivery)) as cursor:
            return cursor.execute(_HEAD, (hook,)).fetchone()

    def waiting(self, hook: UUID) -> int:
        """How many wait."""
        row = self.conn.execute(_WAITING, (hook,)).fetchone()
        return 0 if row is None else int(str(row[0]))

    def settle(self, delivery: Delivery, tries: int) -> bool:
        """Write how far it got."""
        stand = (delivery.state, delivery.due, delivery.tries, delivery.round, delivery.tried)
        answer = (delivery.status, delivery.took_ms, delivery.answer, delivery.why)
        return self.conn.execute(_SETTLE, (*stand, *answer, delivery.id, tries)).rowcount == 1

    def begin_round(self, hook: UUID, now: datetime) -> None:
        """Anew."""
        self.conn.execute(_ANEW, (now, hook))

    def wake(self, hook: UUID) -> None:
        """Leave the job."""
        wake(self.conn, str(hook))
