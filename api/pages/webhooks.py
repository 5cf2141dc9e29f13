"""Webhooks: where changes are sent, how each delivery went, and what a person does about it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import HookPerson, check_csrf, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words
from api.outward import check_address
from api.pages.shell import staff_page, staff_words
from api.pages.wall import desk_zone
from api.problems import not_found, sentence_of
from api.said import in_language
from servicedesk.errors import DeskError, UnknownError
from servicedesk.hook_address import AddressError
from servicedesk.hook_rows import KINDS, Cause, DeliveryState, HookState, Webhook
from servicedesk.hooks import (
    SECRET_BYTES,
    Act,
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
from storage.access import StaffRow
from storage.read_wall import orgs_of

router = APIRouter(include_in_schema=False)
_PAGE = 50
_SPANS = {"1": timedelta(hours=1), "24": timedelta(hours=24), "168": timedelta(days=7)}
Csrf = Annotated[str, Form()]


@router.get("/webhooks")
def webhooks(request: Request, person: HookPerson, tx: InTx, context: InContext) -> Response:
    """Endpoints and how they do."""
    return _list(request, tx, context, person)


@router.post("/webhooks")
def webhook_new(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: HookPerson,
    tx: InTx,
    context: InContext,
    url: Annotated[str, Form(max_length=2000)],
    org: Annotated[str, Form(max_length=64)],
    note: Annotated[str, Form(max_length=200)] = "",
    types: Annotated[list[str] | None, Form()] = None,
    csrf: Csrf = "",
) -> Response:
    """Have changes sent to an address from now on; the secret is shown on this answer alone."""
    check_csrf(request, csrf)
    wishes = Wishes(url=url.strip(), note=note.strip(), types=tuple(types or ()), areas=tuple(person.areas or ()))
    if org not in orgs_of(tx.conn, staff_scope(person)):
        raise not_found("organisation")
    secret = secrets.token_bytes(SECRET_BYTES)
    try:
        check_address(context, wishes.url or "")
        with tx.conn.transaction():
            hook = register(tx.office, org, wishes, secret, _act(tx, person))
    except (AddressError, DeskError) as error:
        return _list(request, tx, context, person, refused=sentence_of(error), url=url)
    return _one(request, tx, context, person, hook, secret=secret_text(secret))


@router.get("/webhooks/{webhook}")
def webhook_page(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    webhook: UUID,
    person: HookPerson,
    tx: InTx,
    context: InContext,
    state: Annotated[str, Query(max_length=20)] = "",
    below: int | None = None,
) -> Response:
    """One endpoint with its deliveries."""
    return _one(request, tx, context, person, _own(tx, person, webhook), state=state, below=below)


@router.post("/webhooks/{webhook}/secret")
def webhook_secret(  # noqa: PLR0917  (named by FastAPI)
    request: Request, webhook: UUID, person: HookPerson, tx: InTx, context: InContext, csrf: Csrf = ""
) -> Response:
    """Another secret; it is shown on this answer alone. For a day both sign."""
    check_csrf(request, csrf)
    _own(tx, person, webhook)
    secret = secrets.token_bytes(SECRET_BYTES)
    hook = rotate(tx.office, webhook, secret, _act(tx, person))
    return _one(request, tx, context, person, hook, secret=secret_text(secret))


@router.post("/webhooks/{webhook}/acts")
def webhook_act(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    webhook: UUID,
    person: HookPerson,
    tx: InTx,
    context: InContext,
    act: Annotated[str, Form(max_length=20)],
    since: Annotated[str, Form(max_length=4)] = "24",
    delivery: Annotated[UUID | None, Form()] = None,
    csrf: Csrf = "",
) -> Response:
    """Pause, go on, test, replay, remove; or send one message again, or give it up."""
    check_csrf(request, csrf)
    hook, mine = _own(tx, person, webhook), _act(tx, person)
    begin = tx.wall - _SPANS.get(since, _SPANS["24"])
    acts: dict[str, Callable[[], object]] = {
        "pause": lambda: change(tx.office, webhook, Wishes(enabled=False), mine),
        "enable": lambda: change(tx.office, webhook, Wishes(enabled=True), mine),
        "test": lambda: ping(tx.office, webhook, tx.wall),
        "replay": lambda: replay(tx.office, webhook, tx.wall, after=None, since=begin),
        "remove": lambda: remove(tx.office, webhook, mine),
    }
    if delivery is not None:
        acts["again"] = lambda: send_again(tx.office, webhook, delivery, tx.wall)
        acts["skip"] = lambda: skip(tx.office, webhook, delivery)
    if act not in acts:
        raise not_found("act")
    try:
        with tx.conn.transaction():
            acts[act]()
    except DeskError as error:
        return _one(request, tx, context, person, hook, refused=sentence_of(error))
    return RedirectResponse("/webhooks" if act == "remove" else f"/webhooks/{webhook}", 303)


def _list(  # noqa: PLR0917  (all of them are the page)
    request: Request, tx: Tx, context: Context, person: StaffRow, refused: str = "", url: str = ""
) -> Response:
    words, book = _words(request, tx, person), tx.office.desk.hooks
    rows = [each for each in book.listed(person.org) if _within(person, each)]
    return staff_page(
        request,
        context,
        person,
        "webhooks.html",
        words,
        409 if refused else 200,
        rows=[(each, state_name(words, each.state), book.waiting(each.id)) for each in rows],
        kinds=[(kind, kind_name(words, kind)) for kind in KINDS],
        orgs=orgs_of(tx.conn, staff_scope(person)),
        refused=in_language(refused, words.lang),
        url=url,
    )


def _one(  # noqa: PLR0917  (all of them are the page)
    request: Request,
    tx: Tx,
    context: Context,
    person: StaffRow,
    hook: Webhook,
    state: str = "",
    below: int | None = None,
    *,
    secret: str = "",
    refused: str = "",
) -> Response:
    words, book = _words(request, tx, person), tx.office.desk.hooks
    wanted = DeliveryState(state) if state in set(DeliveryState) else None
    rows = book.deliveries(hook.id, below=below, state=wanted, limit=_PAGE + 1)
    overlap = hook.old_until if len(hook.secrets_at(tx.wall)) > 1 else None
    return staff_page(
        request,
        context,
        person,
        "webhook.html",
        words,
        409 if refused else 200,
        hook=hook,
        state_said=state_name(words, hook.state),
        kinds=", ".join(kind_name(words, each) for each in hook.types) or words.plain("everything"),
        waiting=book.waiting(hook.id),
        overlap=overlap,
        rows=[(each, delivery_name(words, each.state), cause_name(words, each.cause)) for each in rows[:_PAGE]],
        states=[(str(each), delivery_name(words, each)) for each in DeliveryState],
        state=state,
        on=rows[_PAGE - 1].place if len(rows) > _PAGE else None,
        secret=secret,
        refused=in_language(refused, words.lang),
    )


def state_name(t: Words, state: HookState) -> str:
    """Whether an endpoint is sent to."""
    return {
        HookState.ENABLED: t.plain("Enabled"),
        HookState.PAUSED: t.plain("Paused"),
        HookState.DISABLED: t.plain("Disabled"),
    }[state]


def delivery_name(t: Words, state: DeliveryState) -> str:
    """Where a delivery stands."""
    return {
        DeliveryState.PENDING: t.plain("Waits"),
        DeliveryState.DELIVERED: t.plain("Delivered"),
        DeliveryState.FAILED: t.plain("Failed"),
        DeliveryState.SKIPPED: t.plain("Given up"),
    }[state]


def cause_name(t: Words, cause: Cause) -> str:
    """Why something was sent."""
    return {
        Cause.CHANGE: t.plain("change"),
        Cause.REPLAY: t.plain("sent again"),
        Cause.TEST: t.plain("test"),
    }[cause]


def kind_name(t: Words, kind: str) -> str:
    """What changes are about."""
    return {
        "ticket": t.plain("Tickets"),
        "visit": t.plain("Visits"),
        "quote": t.plain("Quotes"),
        "notice": t.plain("Messages"),
        "finding": t.plain("Findings"),
        "device": t.plain("Appliances"),
    }.get(kind, kind)


def _own(tx: Tx, person: StaffRow, webhook: UUID) -> Webhook:
    try:
        hook = tx.office.desk.hooks.read(webhook)
    except UnknownError as cause:
        raise not_found("webhook") from cause
    if not _within(person, hook):
        raise not_found("webhook")
    return hook


def _within(person: StaffRow, hook: Webhook) -> bool:
    """Whether an endpoint tells nothing beyond the person's own reach."""
    mine = person.areas
    return person.org in (None, hook.org) and (mine is None or (bool(hook.areas) and set(hook.areas) <= set(mine)))


def _act(tx: Tx, person: StaffRow) -> Act:
    return Act(f"staff:{person.login}", tx.wall, tx.now)


def _words(request: Request, tx: Tx, person: StaffRow) -> Words:
    return staff_words(request, person, desk_zone(tx, person))
