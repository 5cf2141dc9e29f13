"""Tries of deliveries: whose turn it is, and what an answer means for the delivery and its endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.hook_rows import Answer, Cause, Delivery, DeliveryState, HookState, Webhook
from servicedesk.hooks import CHANNEL, stop
from servicedesk.level_rows import Outage
from servicedesk.office import Office
from servicedesk.ports_hooks import Hooks

SCHEDULE = tuple(timedelta(seconds=each) for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400))
"""Waits between the tries of one delivery: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h; about 32 hours together."""
TIMEOUT = timedelta(seconds=15)
"""In which an endpoint has answered, the connection included."""
_IN_FLIGHT = TIMEOUT + timedelta(seconds=5)
_GONE = 410
_LATEST = timedelta(hours=1)
_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_SPREAD = 0.1


def next_up(book: Hooks, hook_id: UUID, now: datetime) -> tuple[Webhook, Delivery] | None:
    """The delivery to try now, its try counted; None when none is due.

    Whoever took it and was killed leaves it pending: after a while it is due again, with the same message id.
    """
    hook = book.read(hook_id)
    row = book.head(hook_id) if hook.state is HookState.ENABLED else None
    if row is None or row.due > now:
        return None
    trying = replace(row, tries=row.tries + 1, round=row.round + 1, tried=now, due=now + _IN_FLIGHT)
    return (hook, trying) if book.settle(trying, row.tries) else None


def note(
    office: Office, delivery: Delivery, answer: Answer, now: datetime, *, fleet: datetime, spread: Callable[[], float]
) -> Delivery:
    """Write what a try's answer means.

    Args:
        office: the desk.
        delivery: as `next_up` gave it.
        answer: what the try gave.
        now: wall time.
        fleet: fleet time, for the warning.
        spread: 0 to 1; tries at many endpoints shall not fall on one moment.

    Returns:
        The delivery as it stands; unchanged where somebody else has moved it meanwhile.
    """
    book = office.desk.hooks
    taken = answer.status in _SUCCESS
    if not taken:
        book.feed()  # before the endpoint: it may come to be disabled
    hook = book.get(delivery.webhook)
    told = replace(
        delivery,
        status=answer.status,
        took_ms=answer.took_ms,
        answer=answer.body,
        why="" if taken else answer.why or _why(answer.status),
        due=now,
    )
    if taken:
        told = replace(told, state=DeliveryState.DELIVERED)
    elif delivery.cause is Cause.TEST or answer.status == _GONE:
        told = replace(told, state=DeliveryState.FAILED)
    elif told.round <= len(SCHEDULE):
        wait = SCHEDULE[told.round - 1] * (1 + _SPREAD * spread())
        told = replace(told, due=now + max(wait, min(answer.later or wait, _LATEST)))
    if not book.settle(told, delivery.tries):
        return delivery
    if delivery.cause is not Cause.TEST:
        failing = None if taken else hook.failing or now
        if failing != hook.failing:
            hook = book.save(replace(hook, failing=failing))
    if answer.status == _GONE:
        _disable(office, hook, "it says that it is gone (410)", fleet)
    elif told.state is DeliveryState.PENDING and told.round > len(SCHEDULE):
        _disable(office, hook, f"nothing got through in {told.round} tries; the last: {told.why}", fleet)
    return told


def _why(status: int | None) -> str:
    if status in _REDIRECT:
        return f"a redirect ({status}) is not followed: register the new address"
    return "no answer" if status is None else f"answered {status}"


def _disable(office: Office, hook: Webhook, why: str, fleet: datetime) -> None:
    """Send no more, and warn dispatch: it stands among the warnings until the endpoint is enabled again."""
    if hook.state is not HookState.ENABLED:
        return
    stop(office.desk.hooks, hook, HookState.DISABLED, why[:500])
    reach = office.desk.levels.reach
    outage = reach.failed(
        Outage(id=office.new_id(), channel=f"{CHANNEL}:{hook.id}", since=fleet, failures=1, why=why[:500])
    )
    reach.save_outage(replace(outage, warned=fleet))
