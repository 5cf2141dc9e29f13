"""`/v1/webhooks`: where an organisation wants changes sent, what was sent, and sending it again."""

from __future__ import annotations

import secrets
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from api.auth import HookKeeper, Principal
from api.context import Context, InContext, InTx, Tx
from api.outward import check_address
from api.problems import invalid, not_found, sentence_of
from api.said import said
from api.v1.hook_models import (
    DeliveryOut,
    ReplayIn,
    ReplayOut,
    WebhookChangeIn,
    WebhookIn,
    WebhookMadeOut,
    WebhookOut,
    WebhooksOut,
)
from api.v1.models import Page
from api.v1.paging import Paging, listing
from api.v1.router import Resource, V1Router, changes
from servicedesk.cloud_events import envelope
from servicedesk.errors import UnknownError
from servicedesk.hook_address import AddressError
from servicedesk.hook_rows import Delivery, DeliveryState, Webhook
from servicedesk.hooks import (
    SECRET_BYTES,
    Act,
    HookError,
    Wishes,
    change,
    ping,
    register,
    remove,
    replay,
    rotate,
    secret_text,
    send_again,
    skip,
)

router = V1Router()


def own_webhook(tx: Tx, who: Principal, webhook: UUID) -> Webhook:
    """An endpoint of the asker's; 404 outside its scope."""
    try:
        hook = tx.office.desk.hooks.read(webhook)
    except UnknownError as cause:
        raise not_found("webhook") from cause
    if not _within(who, hook.org, hook.areas):
        raise not_found("webhook")
    return hook


def read_webhook(tx: Tx, who: Principal, webhook: UUID) -> WebhookOut:
    """An endpoint as it is shown."""
    return WebhookOut(**_shown(tx, own_webhook(tx, who, webhook)))


WEBHOOK = Resource(
    argument="webhook",
    read=read_webhook,
    hold=lambda tx, webhook: (tx.office.desk.hooks.feed(), tx.office.desk.hooks.get(webhook)),
    path=lambda webhook: f"/v1/webhooks/{webhook.id}",
)


@router.get("/webhooks", tags=["webhooks"])
def webhooks(
    who: HookKeeper,
    tx: InTx,
    org: Annotated[str | None, Query(max_length=64, description="of one organisation")] = None,
) -> WebhooksOut:
    """Endpoints, without their secrets."""
    if who.scope.org is not None and org not in (None, who.scope.org):
        return WebhooksOut(items=[])
    rows = tx.office.desk.hooks.listed(who.scope.org or org)
    return WebhooksOut(items=[WebhookOut(**_shown(tx, each)) for each in rows if _within(who, each.org, each.areas)])


@router.post("/webhooks", tags=["webhooks"], status_code=201)
def webhook_new(webhook: WebhookIn, who: HookKeeper, tx: InTx, context: InContext) -> WebhookMadeOut:
    """Have changes sent to an address from now on. The secret is told this once; it verifies what is sent."""
    org = webhook.org or who.scope.org
    if org is None:
        raise invalid(said("say of which organisation"), "#/org")
    if not _within(who, org, tuple(webhook.areas)):
        raise invalid(
            said("this lies outside of what the token may see"), "#/areas" if who.scope.org in (None, org) else "#/org"
        )
    _judge(context, webhook.url)
    secret = secrets.token_bytes(SECRET_BYTES)
    wishes = Wishes(url=webhook.url, note=webhook.note, types=tuple(webhook.types), areas=tuple(webhook.areas))
    try:
        hook = register(tx.office, org, wishes, secret, _act(tx, who))
    except HookError as cause:
        raise invalid(sentence_of(cause), f"#/{cause.field}") from cause
    return WebhookMadeOut(**_shown(tx, hook), secret=secret_text(secret))


@router.get("/webhooks/{webhook}", tags=["webhooks"])
def one_webhook(webhook: UUID, who: HookKeeper, tx: InTx) -> WebhookOut:
    """An endpoint and how it does."""
    return read_webhook(tx, who, webhook)


@router.patch("/webhooks/{webhook}", tags=["webhooks"])
@changes(WEBHOOK)
def webhook_change(webhook: UUID, wishes: WebhookChangeIn, who: HookKeeper, tx: InTx, context: InContext) -> WebhookOut:
    """Change address and filters, pause it, or enable it again: then it is sent what it has missed, in order."""
    own_webhook(tx, who, webhook)
    if wishes.areas is not None and not _within(who, who.scope.org, tuple(wishes.areas)):
        raise invalid(said("this lies outside of what the token may see"), "#/areas")
    if wishes.url is not None:
        _judge(context, wishes.url)
    wanted = Wishes(
        url=wishes.url,
        note=wishes.note,
        types=None if wishes.types is None else tuple(wishes.types),
        areas=None if wishes.areas is None else tuple(wishes.areas),
        enabled=wishes.enabled,
    )
    change(tx.office, webhook, wanted, _act(tx, who))
    return read_webhook(tx, who, webhook)


@router.delete("/webhooks/{webhook}", tags=["webhooks"])
def webhook_remove(webhook: UUID, who: HookKeeper, tx: InTx) -> WebhookOut:
    """Send there no more; what waits is dropped. The answer is what it was."""
    shown = read_webhook(tx, who, webhook)
    remove(tx.office, webhook, _act(tx, who))
    return shown


@router.post("/webhooks/{webhook}/secret", tags=["webhooks"])
def webhook_secret(webhook: UUID, who: HookKeeper, tx: InTx) -> WebhookMadeOut:
    """Another secret. For a day both sign; take the new one into use meanwhile."""
    own_webhook(tx, who, webhook)
    secret = secrets.token_bytes(SECRET_BYTES)
    hook = rotate(tx.office, webhook, secret, _act(tx, who))
    return WebhookMadeOut(**_shown(tx, hook), secret=secret_text(secret))


@router.post("/webhooks/{webhook}/test", tags=["webhooks"], status_code=201)
def webhook_test(webhook: UUID, who: HookKeeper, tx: InTx) -> DeliveryOut:
    """Send a message of type `wellkept.test.ping`, once; look at its delivery for the answer."""
    own_webhook(tx, who, webhook)
    return _delivery(ping(tx.office, webhook, tx.wall))


@router.post("/webhooks/{webhook}/replay", tags=["webhooks"], status_code=201)
def webhook_replay(webhook: UUID, begin: ReplayIn, who: HookKeeper, tx: InTx) -> ReplayOut:
    """Send changes of the last seven days again, behind what waits already, with the ids that they had."""
    own_webhook(tx, who, webhook)
    try:
        found = replay(tx.office, webhook, tx.wall, after=begin.after, since=begin.since)
    except HookError as cause:
        raise invalid(sentence_of(cause), f"#/{cause.field}") from cause
    return ReplayOut(count=found.count, after=found.after, gap=found.gap)


@router.get("/webhooks/{webhook}/deliveries", tags=["webhooks"])
def deliveries(
    webhook: UUID,
    who: HookKeeper,
    tx: InTx,
    paging: Annotated[Paging, Depends(listing(50))],
    state: Annotated[DeliveryState | None, Query(description="only of this state")] = None,
) -> Page[DeliveryOut]:
    """What was sent and what waits, newest first; settled ones are kept for seven days."""
    own_webhook(tx, who, webhook)
    rows = tx.office.desk.hooks.deliveries(webhook, below=paging.after(int), state=state, limit=paging.limit + 1)
    return paging.page(rows, _delivery, lambda row: row.place)


@router.get("/webhooks/{webhook}/deliveries/{delivery}", tags=["webhooks"])
def one_delivery(webhook: UUID, delivery: UUID, who: HookKeeper, tx: InTx) -> DeliveryOut:
    """A message: how far it got, and the last answer."""
    return _delivery(_own(tx, who, webhook, delivery))


@router.post("/webhooks/{webhook}/deliveries/{delivery}/again", tags=["webhooks"], status_code=201)
def delivery_again(webhook: UUID, delivery: UUID, who: HookKeeper, tx: InTx) -> DeliveryOut:
    """Send one message again, with the id that it had."""
    _own(tx, who, webhook, delivery)
    return _delivery(send_again(tx.office, webhook, delivery, tx.wall))


@router.post("/webhooks/{webhook}/deliveries/{delivery}/skip", tags=["webhooks"])
def delivery_skip(webhook: UUID, delivery: UUID, who: HookKeeper, tx: InTx) -> DeliveryOut:
    """Give up a message that is not taken, so that those behind it are sent."""
    _own(tx, who, webhook, delivery)
    return _delivery(skip(tx.office, webhook, delivery))


def _own(tx: Tx, who: Principal, webhook: UUID, delivery: UUID) -> Delivery:
    own_webhook(tx, who, webhook)
    try:
        row = tx.office.desk.hooks.delivery(delivery)
    except UnknownError as cause:
        raise not_found("delivery") from cause
    if row.webhook != webhook:
        raise not_found("delivery")
    return row


def _within(who: Principal, org: str | None, areas: tuple[str, ...]) -> bool:
    """Whether an endpoint tells nothing beyond the asker's own scope."""
    mine = who.scope.areas
    return who.scope.org in (None, org) and (mine is None or (bool(areas) and set(areas) <= set(mine)))


def _act(tx: Tx, who: Principal) -> Act:
    return Act(f"{who.role}:{who.id}", tx.wall, tx.now)


def _judge(context: Context, url: str) -> None:
    try:
        check_address(context, url)
    except AddressError as cause:
        raise invalid(sentence_of(cause), "#/url") from cause


def _shown(tx: Tx, hook: Webhook) -> dict[str, Any]:
    overlap = len(hook.secrets_at(tx.wall)) > 1
    return {
        "id": hook.id,
        "org": hook.org,
        "url": hook.url,
        "note": hook.note,
        "types": list(hook.types),
        "areas": list(hook.areas),
        "state": hook.state,
        "why": hook.why,
        "made": hook.made,
        "failing": hook.failing,
        "waiting": tx.office.desk.hooks.waiting(hook.id),
        "overlap_until": hook.old_until if overlap else None,
    }


def _delivery(row: Delivery) -> DeliveryOut:
    body = envelope(row.event)
    return DeliveryOut(
        id=row.id,
        webhook=row.webhook,
        message=body["id"],
        no=row.event.no,
        type=body["type"],
        subject=row.event.subject,
        cause=row.cause,
        state=row.state,
        made=row.made,
        due=row.due,
        tries=row.tries,
        tried=row.tried,
        status=row.status,
        took_ms=row.took_ms,
        answer=row.answer,
        why=row.why,
        body=body,
    )
