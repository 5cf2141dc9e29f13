"""`/v1/clock`, `/v1/devices`, `/v1/findings`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from api.auth import Reader
from api.context import InContext, InTx
from api.kinds import kinds_named
from api.problems import invalid, not_found
from api.said import said
from api.v1.models import ClockOut, DeviceOut, FindingOut, GivenMoment, Page, ReadingOut
from api.v1.paging import Paging, listing
from api.v1.router import V1Router
from api.v1.shapes import device_out, finding_out
from storage.read_devices import Place, get_device, get_finding, list_devices, list_findings, list_readings
from storage.read_lab import Wanted
from storage.read_models import Cursor
from telemetry.clock import to_datetime
from telemetry.errors import WireError
from telemetry.identity import parse_key

router = V1Router()
_READINGS_MOST = 5000


@router.get("/clock", tags=["clock"])
def clock(_: Reader, tx: InTx) -> ClockOut:
    """The fleet clock."""
    row = tx.clock
    return ClockOut(rev=row.rev, wall=to_datetime(row.wall), fleet=to_datetime(row.fleet), speed=row.speed, now=tx.now)


@router.get("/devices", tags=["devices"])
def devices(  # noqa: PLR0917  (named by FastAPI)
    who: Reader,
    tx: InTx,
    context: InContext,
    paging: Annotated[Paging, Depends(listing(100))],
    q: Annotated[str, Query(max_length=80, description="part of a name, serial number, model, room or kind")] = "",
    kind: Annotated[str | None, Query(max_length=64, description="of appliance")] = None,
    health: Annotated[str | None, Query(pattern="^(ok|faulty|unknown)$")] = None,
) -> Page[DeviceOut]:
    """Devices, in the order of their registration."""
    sought = q.strip()
    wanted = Wanted(sought, kinds_named(context.catalogue, sought), kind, health)
    rows = list_devices(tx.conn, who.scope, after=paging.after(int) or 0, limit=paging.limit + 1, wanted=wanted)
    return paging.page(rows, device_out, lambda row: row.no)


@router.get("/devices/{org}/{device}", tags=["devices"])
def one_device(org: str, device: str, who: Reader, tx: InTx) -> DeviceOut:
    """One device."""
    row = get_device(tx.conn, who.scope, org, device)
    if row is None:
        raise not_found("device")
    return device_out(row)


@router.get("/devices/{org}/{device}/readings", tags=["devices"])
def readings(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    who: Reader,
    tx: InTx,
    context: InContext,
    paging: Annotated[Paging, Depends(listing(1000, _READINGS_MOST))],
    start: Annotated[
        GivenMoment | None, Query(alias="from", description="event time; default a day before `to`")
    ] = None,
    end: Annotated[GivenMoment | None, Query(alias="to", description="event time, left out; default now")] = None,
) -> Page[ReadingOut]:
    """Readings by event time."""
    row = get_device(tx.conn, who.scope, org, device)
    if row is None:
        raise not_found("device")
    last = end or tx.now
    first = start or _day_before(last)
    channels = tuple(context.catalogue[row.kind].channels)
    after = paging.after(Place)
    rows = list_readings(
        tx.conn, row.no, row.kind, channels, start=first, end=last, after=after, limit=paging.limit + 1
    )

    def shape(r: dict[str, Any]) -> ReadingOut:
        return ReadingOut(
            t=r["t"],
            arrival=r["arrival"],
            epoch=r["epoch"],
            seq=r["seq"],
            sub=r["sub"],
            phase=r["phase"],
            late=r["late"],
            q={name: r[name] for name in channels},
        )

    return paging.page(rows, shape, lambda r: Place(r["t"], r["epoch"], r["seq"], r["sub"]))


@router.get("/findings", tags=["findings"])
def findings(
    who: Reader,
    tx: InTx,
    paging: Annotated[Paging, Depends(listing(50))],
    device: Annotated[str | None, Query(description="org/device")] = None,
    state: Annotated[str | None, Query(pattern="^(open|ended)$")] = None,
) -> Page[FindingOut]:
    """Findings, newest first."""
    try:
        key = parse_key(device) if device else None
    except WireError as cause:
        raise invalid(cause.detail) from cause
    after = paging.after(Cursor)
    rows = list_findings(tx.conn, who.scope, device=key, state=state, after=after, limit=paging.limit + 1)
    return paging.page(rows, finding_out, lambda row: Cursor(row.opened, row.id))


@router.get("/findings/{finding}", tags=["findings"])
def one_finding(finding: UUID, who: Reader, tx: InTx) -> FindingOut:
    """One finding with its evidence."""
    row = get_finding(tx.conn, who.scope, finding)
    if row is None:
        raise not_found("finding")
    return finding_out(row)


def _day_before(moment: datetime) -> datetime:
    try:
        return moment - timedelta(days=1)
    except OverflowError as cause:
        raise invalid(said("`to` lies before all time")) from cause
