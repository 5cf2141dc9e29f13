"""Webhooks: what people do with endpoints. What a try's answer means stands in `hook_tries`.

An endpoint has one line of deliveries and is sent to in its order: the head is tried until it is taken, and whatever is
behind it waits. So changes arrive in the order of the feed's numbers, and an endpoint that does not answer costs one
request for each step of the schedule. When the schedule is at its end the endpoint is disabled and dispatch is warned;
enabled again it goes on where it stopped.

Times of webhooks are wall times. Locks are taken in one order: the feed, the endpoint, the delivery.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.audit import OVERRIDE, record
from servicedesk.cloud_events import FEED, TEST
from servicedesk.errors import ConflictError, UnknownError, WordedError
from servicedesk.hook_rows import KINDS, Cause, Change, Delivery, DeliveryState, HookState, Webhook
from servicedesk.office import Office
from servicedesk.ports_hooks import Hooks

OVERLAP = timedelta(hours=24)
"""After a rotation the old secret signs, too, for so long."""
MOST = 50
"""Endpoints of an organisation."""
SECRET_BYTES = 32
CHANNEL = "webhook"
"""Of warnings: `webhook:<id>`."""


class HookError(WordedError):
    """What an endpoint cannot be, or a replay cannot begin with.

    Attributes:
        field: which part of it.
    """

    def __init__(self, field: str, message: str, **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class HookStateError(WordedError, ConflictError):
    """The endpoint, or the delivery, is no longer as it would have to be."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, and when.

    Attributes:
        actor: `dispatch:<token>`, `staff:<login>`.
        wall: wall time, for everything of webhooks.
        fleet: fleet time, for the audit log and warnings.
    """

    actor: str
    wall: datetime
    fleet: datetime


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of an endpoint; None leaves it as it is.

    Attributes:
        url: its address, which the caller has judged (`hook_address.judge`).
        note: for people.
        types: kinds of changes; all when empty.
        areas: of households; all when empty.
        enabled: False pauses it, True has it go on from where it stopped.
    """

    url: str | None = None
    note: str | None = None
    types: tuple[str, ...] | None = None
    areas: tuple[str, ...] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay enters.

    Attributes:
        count: deliveries.
        after: the number behind which they begin.
        gap: whether changes before it are forgotten: the endpoint is told so first.
    """

    count: int
    after: int
    gap: bool


def secret_text(secret: bytes) -> str:
    """As Standard Webhooks spells a secret."""
    return "whsec_" + base64.b64encode(secret).decode()


def register(office: Office, org: str, wishes: Wishes, secret: bytes, act: Act) -> Webhook:
    """Enter an endpoint. It hears of what changes from now on.

    Args:
        office: the desk.
        org: whose changes.
        wishes: its address and filters.
        secret: fresh random bytes.
        act: who and when.

    Raises:
        HookError: a filter names no kind of change, or there are too many endpoints.
    """
    book = office.desk.hooks
    book.feed()
    if len(book.listed(org)) >= MOST:
        raise HookError("org", "{org} has {most} endpoints; remove one first", org=org, most=MOST)
    hook = Webhook(
        id=office.new_id(),
        org=org,
        url=wishes.url or "",
        secret=secret,
        made=act.wall,
        note=wishes.note or "",
        types=_types(wishes.types or ()),
        areas=_distinct(wishes.areas or ()),
    )
    book.add(hook)
    _note(office, hook, act, "registered")
    return stop(book, hook, HookState.PAUSED, "by a person") if wishes.enabled is False else hook


def change(office: Office, hook_id: UUID, wishes: Wishes, act: Act) -> Webhook:
    """Change an endpoint's address and filters; pause it, or enable it again from where it stopped.

    Filters hold for changes that are numbered from now on. A new address is tried at once.

    Raises:
        HookError: a filter names no kind of change.
    """
    book = office.desk.hooks
    book.feed()
    old = book.get(hook_id)
    hook = book.save(
        replace(
            old,
            url=old.url if wishes.url is None else wishes.url,
            note=old.note if wishes.note is None else wishes.note,
            types=old.types if wishes.types is None else _types(wishes.types),
            areas=old.areas if wishes.areas is None else _distinct(wishes.areas),
        )
    )
    if wishes.enabled is False and hook.state is HookState.ENABLED:
        hook = stop(book, hook, HookState.PAUSED, "by a person")
    elif wishes.enabled is True and hook.state is not HookState.ENABLED:
        hook = _go_on(office, hook, act)
    elif hook.url != old.url and hook.state is HookState.ENABLED:
        book.begin_round(hook.id, act.wall)
        book.wake(hook.id)
    _note(office, hook, act, "changed")
    return hook


def rotate(office: Office, hook_id: UUID, secret: bytes, act: Act) -> Webhook:
    """Give an endpoint another secret. For `OVERLAP` both sign, and either proves what is sent."""
    book = office.desk.hooks
    hook = book.get(hook_id)
    _note(office, hook, act, "secret rotated")
    return book.save(replace(hook, secret=secret, old_secret=hook.secret, old_until=act.wall + OVERLAP))


def remove(office: Office, hook_id: UUID, act: Act) -> Webhook:
    """Take an endpoint away. What waits for it is never sent."""
    book = office.desk.hooks
    book.feed()
    hook = book.get(hook_id)
    _note(office, hook, act, "removed")
    office.desk.levels.reach.worked(f"{CHANNEL}:{hook.id}", act.fleet)
    book.remove(hook_id)
    return hook


def replay(
    office: Office, hook_id: UUID, now: datetime, *, after: int | None = None, since: datetime | None = None
) -> Replay:
    """Send again what the endpoint wants of the changes behind a number or a moment, behind what waits already.

    Raises:
        HookError: neither or both are given, or the number has not been given out.
        ConflictError: the endpoint is not enabled.
    """
    book = office.desk.hooks
    newest, forgotten = book.feed()
    hook = _enabled(book, hook_id)
    if (after is None) == (since is None):
        raise HookError("after", "say from which number, or from which time")
    first = book.number_at(since) if since is not None else after or 0
    if not 0 <= first <= newest:
        raise HookError("after", "the feed stands at {newest}", newest=newest)
    found = _fill(office, hook, first, (newest, forgotten), now=now, cause=Cause.REPLAY)
    book.wake(hook.id)
    return found


def send_again(office: Office, hook_id: UUID, delivery: UUID, now: datetime) -> Delivery:
    """Send one message again, behind what waits already; it carries the same message id.

    Raises:
        ConflictError: the endpoint is not enabled.
        UnknownError: the delivery is none of the endpoint's.
    """
    book = office.desk.hooks
    hook = _enabled(book, hook_id)
    old = _own(book, hook_id, delivery)
    cause = Cause.TEST if old.cause is Cause.TEST else Cause.REPLAY
    made = book.enter(_delivery(office, hook, cause, old.event, now))
    book.wake(hook.id)
    return made


def skip(office: Office, hook_id: UUID, delivery: UUID) -> Delivery:
    """Give a pending delivery up, so that what is behind it is sent.

    Raises:
        ConflictError: it is not pending.
        UnknownError: it is none of the endpoint's.
    """
    book = office.desk.hooks
    hook = book.get(hook_id)
    row = _own(book, hook_id, delivery)
    if row.state is not DeliveryState.PENDING:
        raise HookStateError("the delivery is {state}", state=str(row.state))
    given_up = replace(row, state=DeliveryState.SKIPPED)
    book.settle(given_up, row.tries)
    book.wake(hook.id)
    return given_up


def ping(office: Office, hook_id: UUID, now: datetime) -> Delivery:
    """Send a test message; it is tried once.

    Raises:
        ConflictError: the endpoint is not enabled.
    """
    book = office.desk.hooks
    hook = _enabled(book, hook_id)
    subject = str(office.new_id())
    event = Change(no=0, org=hook.org, kind=TEST, subject=subject, what="ping", state="sent", at=now)
    made = book.enter(_delivery(office, hook, Cause.TEST, event, now))
    book.wake(hook.id)
    return made


def stop(book: Hooks, hook: Webhook, state: HookState, why: str) -> Webhook:
    """Enter nothing more for an endpoint, and remember where to go on."""
    newest, _ = book.feed()
    return book.save(replace(hook, state=state, why=why, stopped=newest))


def _go_on(office: Office, hook: Webhook, act: Act) -> Webhook:
    book = office.desk.hooks
    stopped = hook.stopped or 0
    hook = book.save(replace(hook, state=HookState.ENABLED, why="", failing=None, stopped=None))
    _fill(office, hook, stopped, book.feed(), now=act.wall, cause=Cause.CHANGE)
    book.begin_round(hook.id, act.wall)
    office.desk.levels.reach.worked(f"{CHANNEL}:{hook.id}", act.fleet)
    book.wake(hook.id)
    return hook


def _fill(office: Office, hook: Webhook, after: int, feed: tuple[int, int], *, now: datetime, cause: Cause) -> Replay:
    """Enter what stands behind a number; where some of it is forgotten the endpoint is told first."""
    newest, forgotten = feed
    begin, gap = max(after, forgotten), after < forgotten
    if gap:
        told = Change(no=forgotten, org=hook.org, kind=FEED, subject=hook.org, what="reset", state="reset", at=now)
        office.desk.hooks.enter(_delivery(office, hook, cause, told, now))
    return Replay(office.desk.hooks.queue(hook, begin, newest, now, cause), begin, gap)


def _delivery(office: Office, hook: Webhook, cause: Cause, event: Change, now: datetime) -> Delivery:
    return Delivery(id=office.new_id(), webhook=hook.id, cause=cause, event=event, made=now, due=now)


def _enabled(book: Hooks, hook_id: UUID) -> Webhook:
    hook = book.get(hook_id)
    if hook.state is not HookState.ENABLED:
        raise HookStateError(
            "the endpoint is {state}; enabled again it goes on where it stopped", state=str(hook.state)
        )
    return hook


def _own(book: Hooks, hook_id: UUID, delivery: UUID) -> Delivery:
    row = book.delivery(delivery)
    if row.webhook != hook_id:
        raise UnknownError(f"there is no delivery {delivery}")
    return row


def _note(office: Office, hook: Webhook, act: Act, what: str) -> None:
    """Where changes are sent is in the audit log: whoever can change it can have them sent elsewhere."""
    where = hook.url.partition("?")[0]
    record(office.desk, OVERRIDE, act.fleet, act.actor, f"webhook {hook.id}", kind=what, url=where)


def _types(types: tuple[str, ...]) -> tuple[str, ...]:
    for each in types:
        if each not in KINDS:
            kinds = ", ".join(KINDS)
            raise HookError("types", "'{kind}' is no kind of change; there are {kinds}", kind=each, kinds=kinds)
    return _distinct(types)


def _distinct(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
