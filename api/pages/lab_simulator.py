"""Steering a simulated fleet: faults, networks, restarts, the pace of its clock, and what is developing now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import LabHand, LabPerson, Right, check_csrf, staff_may, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words
from api.pages.lab_words import kind_title, tabs
from api.pages.shell import staff_page, staff_words
from api.problems import ProblemError, not_found, problem
from api.said import said
from api.simulator import (
    MOST_SPEED,
    MOST_STEP_HOURS,
    Growing,
    device_status,
    read_clock_state,
    read_fleet,
    steer,
    wish,
)
from storage.access import StaffRow
from storage.read_devices import DeviceView, get_device
from storage.read_lab import Wanted, search_devices
from storage.read_models import EVERYTHING
from telemetry.catalogue import Catalogue, KindSpec
from telemetry.errors import WireError
from telemetry.identity import parse_key
from telemetry.steering import Clear, Inject, Reboot, SetNetwork
from telemetry.steering import Request as Steer

router = APIRouter(include_in_schema=False)
_DEVICES = 300
NETWORK = ("offline_hours", "outage_hours", "loss", "duplicates", "reorder", "reorder_seconds", "reboots")
"""Fields of a link that the page asks for; `wellkept sim network` takes all of them."""
SPEEDS = (1.0, 60.0, 600.0, 3_600.0, 7_200.0, 20_000.0)
Given = Annotated[str, Form(max_length=16)]
_DONE = ("inject", "clear", "network", "reboot", "clock")


@dataclass(frozen=True, slots=True)
class Line:
    """A developing fault with its words."""

    growing: Growing
    name: str
    onset: str
    failure: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A fault that a device may get."""

    id: str
    name: str
    severity: int
    lead: str


@router.get("/lab/simulator")
def simulator(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabPerson,
    tx: InTx,
    context: InContext,
    device: Annotated[str, Query(max_length=140)] = "",
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """The fleet that runs here, or which command starts one."""
    return _show(request, person, tx, context, device.strip(), done=done)


@router.post("/lab/simulator/faults")
def inject(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabHand,
    tx: InTx,
    context: InContext,
    device: Annotated[str, Form(max_length=140)],
    fault: Annotated[str, Form(max_length=64)],
    lead_days: Annotated[str, Form(max_length=16)] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Let a fault begin on a device."""
    check_csrf(request, csrf)
    try:
        lead = float(lead_days) if lead_days.strip() else None
    except ValueError:
        lead = -1.0
    order = Inject(device=device, fault=fault, lead_days=lead)
    return _order(request, person, tx, context, device, order, "inject")


@router.post("/lab/simulator/clearings")
def clear(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabHand,
    tx: InTx,
    context: InContext,
    device: Annotated[str, Form(max_length=140)],
    fault: Annotated[str, Form(max_length=64)] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Undo a fault without a visit."""
    check_csrf(request, csrf)
    return _order(request, person, tx, context, device, Clear(device=device, fault=fault), "clear")


@router.post("/lab/simulator/reboots")
def reboot(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabHand,
    tx: InTx,
    context: InContext,
    device: Annotated[str, Form(max_length=140)],
    fw: Annotated[str, Form(max_length=64)] = "",
    spool_lost: Annotated[str, Form(max_length=3)] = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Restart a device's module."""
    check_csrf(request, csrf)
    order = Reboot(device=device, fw=fw.strip(), spool_lost=bool(spool_lost))
    return _order(request, person, tx, context, device, order, "reboot")


@router.post("/lab/simulator/network")
def network(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabHand,
    tx: InTx,
    context: InContext,
    device: Annotated[str, Form(max_length=140)] = "",
    reset: Annotated[str, Form(max_length=3)] = "",
    offline_hours: Given = "",
    outage_hours: Given = "",
    loss: Given = "",
    duplicates: Given = "",
    reorder: Given = "",
    reorder_seconds: Given = "",
    reboots: Given = "",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Give a device, or all of them, another network; `reset` gives back the scenario's own."""
    check_csrf(request, csrf)
    given = (offline_hours, outage_hours, loss, duplicates, reorder, reorder_seconds, reboots)
    try:
        values = {name: float(text) for name, text in zip(NETWORK, given, strict=True) if text.strip()}
    except ValueError:
        t = staff_words(request, person)
        return _show(request, person, tx, context, device, wrong=t("A field holds no number."), status=422)
    order = SetNetwork(device=device, values=None if reset or not values else values)
    if device:
        return _order(request, person, tx, context, device, order, "network")
    if staff_scope(person) != EVERYTHING:
        raise problem("forbidden", said("the whole fleet is steered by who may see all of it"))
    try:
        steer(context, order)
    except ProblemError as error:
        return _refused(request, person, tx, context, "", error)
    return RedirectResponse("/lab/simulator?done=network", 303)


@router.post("/lab/simulator/clock")
def clock(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabHand,
    tx: InTx,
    context: InContext,
    speed: Annotated[float | None, Form(ge=0, le=MOST_SPEED)] = None,
    step_hours: Annotated[float | None, Form(gt=0, le=MOST_STEP_HOURS)] = None,
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Pause, run at most so fast, or run so many hours and stand."""
    check_csrf(request, csrf)
    try:
        wish(tx, f"staff:{person.login}", speed=speed, step_hours=step_hours)
    except ProblemError as error:
        return _refused(request, person, tx, context, "", error)
    return RedirectResponse("/lab/simulator?done=clock", 303)


def _show(
    request: Request,
    person: StaffRow,
    tx: Tx,
    context: Context,
    device: str,
    *,
    done: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    chosen = _device(tx, context, person, device) if device else None
    t = staff_words(request, person)
    fleet = read_fleet(context)
    stands = device_status(context, chosen) if chosen is not None and fleet is not None else None
    kind = context.catalogue[chosen.kind] if chosen is not None else None
    clock = read_clock_state(tx)
    return staff_page(
        request,
        context,
        person,
        "lab_simulator.html",
        t,
        status,
        tabs=tabs(t),
        fleet=fleet,
        configured=context.settings.sim_folder is not None,
        clock=clock,
        clock_now=t.stamp(clock.now),
        speeds=[s for s in SPEEDS if clock.highest is None or s <= clock.highest],
        device=f"{chosen.org}/{chosen.device}" if chosen is not None else device,
        chosen=chosen,
        chosen_kind=kind_title(t, context.catalogue, chosen.kind) if chosen is not None else "",
        stands=_stands(t, stands) if stands is not None else [],
        link=(stands or {}).get("link", {}),
        links=_links(t),
        simulated=stands is not None,
        faults=_choices(t, kind) if kind is not None and stands is not None else [],
        developing=_lines(t, context.catalogue, fleet.developing) if fleet is not None else [],
        names=[
            f"{each.org}/{each.device}"
            for each in search_devices(tx.conn, staff_scope(person), Wanted(), offset=0, limit=_DEVICES)
        ]
        if fleet is not None
        else [],
        done=done if done in _DONE else "",
        wrong=wrong,
        may_steer=staff_may(person, Right.STEER_LAB),
    )


def _device(tx: Tx, context: Context, person: StaffRow, name: str) -> DeviceView | None:
    """The device of a name, the organisation may be left out where there is only one."""
    try:
        key = parse_key(name)
    except WireError:
        found = search_devices(tx.conn, staff_scope(person), Wanted(q=name), offset=0, limit=_DEVICES)
        exact = [each for each in found if each.device == name]
        if len(exact) != 1:
            return None
        return get_device(tx.conn, staff_scope(person), exact[0].org, exact[0].device)
    row = get_device(tx.conn, staff_scope(person), key.org, key.device)
    return row if row is not None and row.kind in context.catalogue.kinds else None


def _order(  # noqa: PLR0917  (what a request has)
    request: Request, person: StaffRow, tx: Tx, context: Context, device: str, order: Steer, name: str
) -> Response:
    """Ask the fleet, for a device that the person may see; a refusal is shown where it was asked."""
    chosen = _device(tx, context, person, device)
    if chosen is None:
        raise not_found("device")
    try:
        steer(context, _named(order, str(chosen.key)))
    except ProblemError as error:
        return _refused(request, person, tx, context, str(chosen.key), error)
    return RedirectResponse(f"/lab/simulator?device={chosen.key}&done={name}", 303)


def _refused(  # noqa: PLR0917  (what a request has)
    request: Request, person: StaffRow, tx: Tx, context: Context, device: str, error: ProblemError
) -> Response:
    return _show(request, person, tx, context, device, wrong=str(error.detail), status=error.status)


def _named(order: Any, device: str) -> Steer:  # noqa: ANN401  (any order with a device)
    made: Steer = type(order)(**{name: getattr(order, name) for name in order.__struct_fields__} | {"device": device})
    return made


def _stands(t: Words, stands: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (t.plain("Firmware"), str(stands["fw"])),
        (t.plain("Connection"), t.plain("offline") if stands["offline"] else t.plain("online")),
        (t.plain("Clock error"), t.plain("{n} s", n=t.number(float(stands["clock_error_s"]), 1))),
        (t.plain("Epoch"), str(stands["epoch"])),
        (t.plain("Next seq"), t.number(stands["next_seq"])),
        (t.plain("Without a receipt"), t.number(stands["unreceipted"])),
    ]


def _links(t: Words) -> dict[str, str]:
    """Names of a link's fields."""
    return {
        "offline_hours": t.plain("Offline, hours a day"),
        "outage_hours": t.plain("Length of an outage, hours"),
        "loss": t.plain("Lost publishes, share"),
        "duplicates": t.plain("Sent twice, share"),
        "reorder": t.plain("Overtaken, share"),
        "reorder_seconds": t.plain("Delay of the overtaken, seconds"),
        "reboots": t.plain("Reboots a day"),
    }


def _choices(t: Words, kind: KindSpec) -> list[Choice]:
    found = []
    for name, spec in kind.faults.items():
        low, high = spec.lead_days
        lead = t.plain("{low}–{high} days", low=t.number(low), high=t.number(high))
        found.append(Choice(name, t.pick(spec.title), spec.severity, lead))
    return sorted(found, key=lambda each: each.severity)


def _lines(t: Words, catalogue: Catalogue, developing: list[Growing]) -> list[Line]:
    titles = {name: t.pick(fault.title) for kind in catalogue.kinds.values() for name, fault in kind.faults.items()}
    return [Line(one, titles.get(one.fault, one.fault), t.stamp(one.onset), t.stamp(one.failure)) for one in developing]
