"""My appliances: how each is and how it has run, what is open, mute and remove, and a fault that owners report."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from markupsafe import Markup

from api.appliances import ApplianceView, appliances_of, tickets_of_device, view_of
from api.auth import same_origin
from api.context import InContext, InTx, Tx
from api.i18n import Words
from api.pages.case import ICONS
from api.pages.home_door import Home, InHome, OwnHome, home_back, home_links, of_household
from api.pages.render import render
from api.sparkline import spark
from api.trends import Trend
from servicedesk.condition import Health
from servicedesk.errors import DeskError
from servicedesk.home_rows import RemovalReason
from servicedesk.household import mute, remove_appliance, send_home_link, unmute
from servicedesk.office import OWNER
from servicedesk.reporting import report_fault
from telemetry.clock import to_datetime

router = APIRouter(prefix="/o", include_in_schema=False)
_MUTES = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=28)}
_URGENT = (Health.DEVELOPING, Health.NO_DATA)
Device = Annotated[str, Form(min_length=1, max_length=64)]


@router.get("/{token}/home")  # noqa: FAST003  (taken by the door)
def home_page(request: Request, home: InHome, tx: InTx, context: InContext) -> Response:
    """All appliances of the household; by the link of a case, how to get the household's own."""
    t = home.words
    if home.ticket is not None:
        return ask_page(request, home)
    views = appliances_of(tx, context.catalogue, home.scope)
    cards = [_card(tx, home, each) for each in views]
    cases = [case for card in cards for case in card["cases"]]
    values: dict[str, Any] = {
        "cards": cards,
        "next": min(cases, key=lambda each: (each["severity"], each["ref"]), default=None),
        "unwell": sum(1 for each in views if each.condition.health in _URGENT),
        "told": _told(request, t),
    }
    return render(request, "home.html", t, **values, **home_links(home))


@router.post("/{token}/home/mute", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def home_mute(home: OwnHome, tx: InTx, device: Device, span: Annotated[str, Form()]) -> Response:
    """Keep an appliance's messages back for a while."""
    appliance = tx.office.desk.people.appliance(of_household(tx, home, device).no)
    if span not in _MUTES:
        return home_back(home, "/home", gone="move")
    mute(tx.office, appliance, tx.now + _MUTES[span], tx.now, OWNER)
    return home_back(home, "/home", done="muted")


@router.post("/{token}/home/unmute", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def home_unmute(home: OwnHome, tx: InTx, device: Device) -> Response:
    """Let them through again."""
    unmute(tx.office, tx.office.desk.people.appliance(of_household(tx, home, device).no), tx.now)
    return home_back(home, "/home", done="unmuted")


@router.post("/{token}/home/report", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def home_report(
    home: OwnHome, tx: InTx, device: Device, words: Annotated[str, Form(min_length=1, max_length=2000)]
) -> Response:
    """An owner says that an appliance has failed; its case is shown."""
    appliance = tx.office.desk.people.appliance(of_household(tx, home, device).no)
    try:
        ticket = report_fault(tx.office, appliance, None, words, tx.now)
    except DeskError:
        return home_back(home, "/home", gone="move")
    return home_back(home, "/home", case=ticket.ref, done="reported")


@router.get("/{token}/home/remove")  # noqa: FAST003  (taken by the door)
def remove_page(request: Request, home: OwnHome, tx: InTx, context: InContext, device: str) -> Response:
    """The second step: what ends, what stays, and why it goes."""
    row = of_household(tx, home, device)
    view = view_of(tx, context.catalogue, home.scope, row, tickets_of_device(tx, home.scope, row))
    values: dict[str, Any] = {"card": _card(tx, home, view), "reasons": _reasons(home.words)}
    return render(request, "home_remove.html", home.words, **values, **home_links(home))


@router.post("/{token}/home/remove", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def home_remove(home: OwnHome, tx: InTx, device: Device, why: Annotated[RemovalReason, Form()]) -> Response:
    """Take an appliance out of the household."""
    appliance = tx.office.desk.people.appliance(of_household(tx, home, device).no)
    remove_appliance(tx.office, appliance, why, tx.now, OWNER)
    return home_back(home, "/home", done="removed")


@router.post("/{token}/home/link", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def ask_for_link(home: InHome, tx: InTx) -> Response:
    """Send the household its own link, to the addresses that we know."""
    if home.ticket is None:
        return home_back(home, "/home")
    sent = send_home_link(tx.office, tx.office.desk.tickets.get(home.ticket), tx.now)
    return home_back(home, "/home", **({"done": "sent"} if sent is not None else {"gone": "sent"}))


def ask_page(request: Request, home: Home) -> Response:
    """The page of a case's link where the household's own is needed."""
    return render(request, "home_ask.html", home.words, told=_told(request, home.words), **home_links(home))


def _card(tx: Tx, home: Home, view: ApplianceView) -> dict[str, Any]:
    t, device, state = home.words, view.device, view.condition
    name = t.pick(view.kind.title) if view.kind is not None else device.kind
    place = t.plain("{appliance}, {room}", appliance=name, room=t.room(device.room)) if device.room else name
    trend = view.trend(tx, t.zone)
    life = t.life(*view.life) if view.life is not None else ""
    icon, tone, word = _health(t, view)
    silent = state.silent_since
    return {
        "no": device.no,
        "device": device.device,
        "place": place,
        "icon": ICONS.get(device.kind, "plug"),
        "mark": icon,
        "tone": tone,
        "word": word,
        "model": device.model or "",
        "trend": None if trend is None else _trend(t, trend, device.no),
        "life": life,
        "silent": t.stamp(silent) if silent is not None and state.health is not Health.NO_DATA else "",
        "online": silent is None,
        "last": t.stamp(device.last_t) if device.last_t is not None else "",
        "muted": t.stamp(view.muted.until) if view.muted is not None and view.muted.until is not None else "",
        "kept_back": view.kept_back,
        "cases": [
            {
                "ref": each.ref,
                "state": each.state,
                "severity": each.severity,
                "title": _title(t, view, each.family, each.fault),
                "place": place,
                "href": f"{home.base}?case={each.ref}{f'&lang={t.lang}' if 'lang=' in home.q else ''}",
            }
            for each in view.cases
        ],
    }


def _title(t: Words, view: ApplianceView, family: str, fault: str | None) -> str:
    faults = view.kind.family_faults(family) if view.kind is not None else {}
    found = faults.get(fault or "") or max(faults.values(), key=lambda each: each.prior, default=None)
    return t.pick(found.title) if found is not None else family.replace("_", " ")


def _health(t: Words, view: ApplianceView) -> tuple[str, str, Markup]:
    """Symbol, tone and word."""
    state = view.condition
    since = state.silent_since
    return {
        Health.HEALTHY: ("inband", "is-ok", t("Healthy")),
        Health.DEVELOPING: ("leave", "is-warn", t("Fault developing")),
        Health.NO_DATA: (
            "unknown",
            "is-unknown",
            t("No data since {when}", when=t.stamp(since)) if since is not None else t("No data"),
        ),
        Health.LEARNING: ("learn", "is-unknown", t("Learning, day {n} of {m}", n=state.day, m=state.of)),
        Health.PROVING: ("clock", "is-plan", t("Repaired, proving")),
        Health.PROVEN: ("checkc", "is-ok", t("Proven")),
    }[state.health]


def _trend(t: Words, trend: Trend, number: int) -> dict[str, Any]:
    unit = trend.unit
    last = next(each for each in reversed(trend.points) if each.value is not None)
    title, latest = t.pick(trend.title), unit.say(t.number(last.value or 0.0, unit.decimals), t.lang)
    usual = ""
    if last.low is not None and last.high is not None:
        usual = unit.say(f"{t.number(last.low, unit.decimals)}–{t.number(last.high, unit.decimals)}", t.lang)
    first, end = (t.short_day(to_datetime(each.t)) for each in (trend.points[0], trend.points[-1]))
    known = len(trend.known)
    said = (
        t.plain(
            "{title}, {first} to {last}: in the usual range on {n} of {m} days.",
            title=title,
            first=first,
            last=end,
            n=known - trend.outside,
            m=known,
        )
        if known
        else t.plain(
            "{title}, {first} to {last}. The usual range is not known yet.", title=title, first=first, last=end
        )
    )
    return {
        "svg": Markup(spark(trend.points, f"s{number}", said)),  # noqa: S704  (it escapes its texts)
        "title": title,
        "latest": latest,
        "usual": usual,
        "outside": bool(last.outside),
    }


def _reasons(t: Words) -> list[tuple[str, Markup]]:
    return [
        (RemovalReason.SOLD, t("Sold or given away")),
        (RemovalReason.BROKEN, t("Broken and disposed of")),
        (RemovalReason.MOVED, t("We moved and left it there")),
        (RemovalReason.UNWANTED, t("It is to be watched no longer")),
    ]


def _told(request: Request, t: Words) -> tuple[bool, str, str] | None:
    """What became of the last choice."""
    told = {
        "muted": (
            True,
            t("Muted"),
            t("What is about safety reaches you all the same. Everything else waits for the end."),
        ),
        "unmuted": (True, t("No longer muted"), t("What had waited comes now.")),
        "reported": (True, t("We have your report"), t("It is a case now. We look for a time and tell you.")),
        "removed": (
            True,
            t("The appliance is removed"),
            t("Its open cases have ended, and nothing is opened for it any more."),
        ),
        "sent": (True, t("The link is on its way"), t("It goes to the addresses that we know, not to this page.")),
    }.get(request.query_params.get("done") or "")
    gone = {
        "move": (False, t("That is no longer possible"), t("Nothing was changed. This is how things stand.")),
        "sent": (
            False,
            t("Nothing was sent"),
            t("A link was sent within the last hour, or no address of yours takes messages."),
        ),
    }.get(request.query_params.get("gone") or "")
    return told or gone
