"""Privacy and notices: what a household agrees to, how it is reached and when not, its data, and being forgotten."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Form, Request, Response
from markupsafe import Markup
from starlette.responses import StreamingResponse

from api.auth import same_origin
from api.context import Context, InContext, InTx
from api.i18n import Words
from api.pages.home import ask_page
from api.pages.home_door import InHome, OwnHome, home_back, home_links, of_household
from api.pages.owner_told import in_wechat
from api.pages.render import PAGE_HEADERS, render
from servicedesk.addresses import AddressError
from servicedesk.care_rows import Purpose
from servicedesk.errors import DeskError
from servicedesk.household import LastWayError, add_chat, add_mail, drop_way, reached, set_wishes, try_first
from servicedesk.office import OWNER
from servicedesk.privacy import KEPT, ask_erasure, export, set_consent
from storage.read_devices import DeviceView, Place, list_devices, list_readings

router = APIRouter(prefix="/o", include_in_schema=False)
_PIECE = 5000
_EVER = datetime.fromisoformat("1970-01-02T00:00:00+00:00")
_REASONS = ("moved", "unused", "trust", "other")


@router.get("/{token}/privacy")  # noqa: FAST003  (taken by the door)
def privacy_page(request: Request, home: InHome, tx: InTx) -> Response:
    """All of it on one page; by the link of a case, how to get the household's own link."""
    if home.ticket is not None:
        return ask_page(request, home)
    t, row, desk = home.words, home.household, tx.office.desk
    erasure = desk.care.privacy.erasure(row.id)
    granted = desk.care.privacy.consents(row.id)
    changes = desk.care.privacy.history(row.id)
    last = {each.purpose: t.day(each.at) for each in changes}
    devices = list_devices(tx.conn, home.scope, after=0, limit=200)
    values: dict[str, Any] = {
        "told": _told(request, t),
        "purposes": [
            {"id": str(each), "granted": granted[each], "since": last.get(each, ""), "words": _purpose(t, each)}
            for each in Purpose
        ],
        "ways": [
            asdict(each) | {"since": t.day(each.bounced) if each.bounced else ""} for each in reached(tx.office, row.id)
        ],
        "quiet": (f"{row.quiet_from:%H:%M}", f"{row.quiet_to:%H:%M}"),
        "lang": row.lang,
        "tz": row.tz,
        "now": t.time(tx.now),
        "counts": (len(devices), len(desk.care.privacy.tickets(row.id))),
        "devices": [(each.device, _name(t, each)) for each in devices],
        "wechat": in_wechat(request),
        "erasure": t.stamp(erasure.requested) if erasure is not None else "",
    }
    return render(request, "privacy.html", t, **values, **home_links(home))


@router.post("/{token}/privacy/consent", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def consent(home: OwnHome, tx: InTx, purpose: Annotated[Purpose, Form()], granted: Annotated[bool, Form()]) -> Response:
    """A yes or no to one purpose."""
    set_consent(tx.office, home.household.id, purpose, tx.now, OWNER, granted=granted)
    return home_back(home, "/privacy", done=f"consent-{'on' if granted else 'off'}")


@router.post("/{token}/privacy/mail", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def mail(home: OwnHome, tx: InTx, address: Annotated[str, Form(max_length=300)]) -> Response:
    """Another e-mail address."""
    try:
        add_mail(tx.office, home.household.id, address, tx.now, OWNER)
    except AddressError:
        return home_back(home, "/privacy", gone="address")
    return home_back(home, "/privacy", done="way")


@router.post("/{token}/privacy/chat", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def chat(home: OwnHome, tx: InTx, url: Annotated[str, Form(max_length=1000)]) -> Response:
    """A chat channel."""
    try:
        add_chat(tx.office, home.household.id, url, tx.now, OWNER)
    except AddressError:
        return home_back(home, "/privacy", gone="address")
    return home_back(home, "/privacy", done="way")


@router.post("/{token}/privacy/first", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def first(home: OwnHome, tx: InTx, way: Annotated[UUID, Form()]) -> Response:
    """Let a way be tried first."""
    try:
        try_first(tx.office, home.household.id, way, tx.now, OWNER)
    except DeskError:
        return home_back(home, "/privacy", gone="move")
    return home_back(home, "/privacy", done="order")


@router.post("/{token}/privacy/drop", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def drop(home: OwnHome, tx: InTx, way: Annotated[UUID, Form()]) -> Response:
    """Take a way away."""
    try:
        drop_way(tx.office, home.household.id, way, tx.now, OWNER)
    except LastWayError:
        return home_back(home, "/privacy", gone="last")
    except DeskError:
        return home_back(home, "/privacy", gone="move")
    return home_back(home, "/privacy", done="dropped")


@router.post("/{token}/privacy/wishes", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def wishes(
    home: OwnHome,
    tx: InTx,
    lang: Annotated[str, Form()],
    quiet_from: Annotated[time, Form()],
    quiet_to: Annotated[time, Form()],
) -> Response:
    """Language and quiet hours."""
    quiet = (quiet_from.replace(tzinfo=None), quiet_to.replace(tzinfo=None))
    try:
        set_wishes(tx.office, home.household.id, tx.now, OWNER, lang=lang, quiet=quiet)
    except DeskError:
        return home_back(home, "/privacy", gone="move")
    return home_back(home, "/privacy", done="wishes")


@router.post("/{token}/privacy/export", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def export_file(home: OwnHome, tx: InTx) -> Response:
    """Everything that is stored of the household, as one file; that it was taken is logged."""
    found = export(tx.office, home.household.id, tx.now, OWNER)
    text = msgspec.json.format(msgspec.json.encode(found, enc_hook=str), indent=1)
    headers = {**PAGE_HEADERS, "Content-Disposition": 'attachment; filename="wellkept.json"'}
    return Response(text, media_type="application/json", headers=headers)


@router.get("/{token}/readings/{device}")  # noqa: FAST003  (taken by the door)
def readings_file(home: OwnHome, tx: InTx, context: InContext, device: str) -> StreamingResponse:
    """All readings of an appliance, a piece of some thousand at a time, each in a transaction of its own."""
    row = of_household(tx, home, device)
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{row.device}.csv"'}
    return StreamingResponse(_lines(context, row, tx.now), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{token}/privacy/erase")  # noqa: FAST003  (taken by the door)
def erase_page(request: Request, home: OwnHome) -> Response:
    """The second step: what goes, what stays and why."""
    t = home.words
    reasons = [
        ("moved", t("We move, or the appliances are gone")),
        ("unused", t("We do not need it")),
        ("trust", t("We do not want our data to be kept")),
        ("other", t("For another reason")),
    ]
    return render(request, "privacy_erase.html", t, reasons=reasons, kept=kept_words(t), **home_links(home))


@router.post("/{token}/privacy/erase", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def erase(home: OwnHome, tx: InTx, why: Annotated[str, Form()], sure: Annotated[str, Form()] = "") -> Response:
    """Ask to be forgotten: a reason, and a tick that says that it cannot be undone."""
    if why not in _REASONS or sure != "yes":
        return home_back(home, "/privacy/erase")
    ask_erasure(tx.office, home.household.id, tx.now, OWNER, why=why)
    return home_back(home, "/privacy", done="erasing")


def kept_words(t: Words) -> list[tuple[Markup, Markup]]:
    """What stays after an erasure, and why, in the order of `servicedesk.privacy.KEPT`."""
    words = {
        "tickets, visits and outcomes without words": (
            t("Cases, visits and outcomes, without words"),
            t("Whoever owns the appliance next may know what was repaired."),
        ),
        "bills and quotes without a name": (t("Bills and quotes, without a name"), t("Tax law asks for the amounts.")),
        "readings, findings and verdicts of the appliances": (
            t("Readings and findings of the appliances"),
            t("They name nobody. Readings go after 400 days."),
        ),
        "consent history and this erasure": (
            t("That you agreed, and that you asked to be forgotten"),
            t("It proves both."),
        ),
        "the audit log": (t("The log of who looked"), t("It holds who looked, never what was seen.")),
    }
    return [words[each] for each in KEPT]


def _lines(context: Context, row: DeviceView, now: datetime) -> Iterator[str]:
    channels = tuple(context.catalogue[row.kind].channels) if row.kind in context.catalogue else ()
    yield _row(["t", "phase", *channels])
    after: Place | None = None
    while channels:
        with context.begin() as tx:
            found = list_readings(
                tx.conn, row.no, row.kind, channels, start=_EVER, end=now + timedelta(days=1), limit=_PIECE, after=after
            )
        yield "".join(
            _row([f"{r['t'].astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", r["phase"], *(r[name] for name in channels)])
            for r in found
        )
        if len(found) < _PIECE:
            return
        last = found[-1]
        after = Place(last["t"], last["epoch"], last["seq"], last["sub"])


def _row(values: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(["" if each is None else each for each in values])
    return out.getvalue()


def _name(t: Words, device: DeviceView) -> str:
    return f"{t.room(device.room)} · {device.device}" if device.room else device.device


def _purpose(t: Words, purpose: Purpose) -> tuple[Markup, Markup, Markup]:
    """Its name, what it is for, and what happens without it."""
    return {
        Purpose.ALERTS: (
            t("Alerts"),
            t("You are told when the readings leave their usual range."),
            t("Off: only what is about safety is said."),
        ),
        Purpose.SERVICE: (
            t("Sharing with service"),
            t("What is found becomes a case that our people see and plan for."),
            t("Off: nothing is opened by itself; you can still report a fault."),
        ),
        Purpose.ANALYTICS: (
            t("Statistics"),
            t("Your cases count in our reports, without your name."),
            t("Off: they do not count."),
        ),
        Purpose.FOLLOW_UP: (
            t("Asking afterwards"),
            t("After a repair we ask once how it was, and may call about it."),
            t("Off: nobody asks."),
        ),
    }[purpose]


def _told(request: Request, t: Words) -> tuple[bool, str, str] | None:
    """What became of the last choice."""
    told = {
        "consent-on": (True, t("Switched on"), t("It holds from the next finding and the next message on.")),
        "consent-off": (True, t("Switched off"), t("It holds from the next finding and the next message on.")),
        "way": (True, t("Address added"), t("It is tried after those that stand above it.")),
        "order": (True, t("Order changed"), t("This way is tried first from now on.")),
        "dropped": (True, t("Address removed"), t("No message goes there any more.")),
        "wishes": (True, t("Saved"), t("It holds from the next message on.")),
        "erasing": (
            True,
            t("Your wish is noted"),
            t("Your data is taken out within minutes. After that this link opens nothing."),
        ),
    }.get(request.query_params.get("done") or "")
    gone = {
        "address": (
            False,
            t("That address was not added"),
            t("It is not one that we can send to, it is there already, or there are six."),
        ),
        "last": (False, t("That is the only way to you"), t("Add another address first, or switch alerts off.")),
        "move": (False, t("That is no longer possible"), t("Nothing was changed. This is how things stand.")),
    }.get(request.query_params.get("gone") or "")
    return told or gone
