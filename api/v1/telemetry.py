"""`/v1/clock`, `/v1/devices`, `/v1/findings`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.auth import Reader
from api.context import InContext, InTx
from api.problems import ProblemError, not_found
from api.v1.models import ClockOut, DeviceOut, FindingOut, Page, ReadingOut
from api.v1.shapes import device_out, finding_out, page
from storage.read_devices import get_device, get_finding, list_devices, list_findings, list_readings
from storage.read_models import Cursor, CursorError, decode_cursor
from telemetry.clock import to_datetime
from telemetry.errors import WireError
from telemetry.identity import parse_key

router = APIRouter(prefix="/v1")
Limit = Annotated[int, Query(ge=1, le=500)]
_READINGS_MOST = 5000


@router.get("/clock", tags=["clock"])
def clock(_: Reader, tx: InTx) -> ClockOut:
    """The fleet clock."""
    row = tx.clock
    return ClockOut(rev=row.rev, wall=to_datetime(row.wall), fleet=to_datetime(row.fleet), speed=row.speed, now=tx.now)


@router.get("/devices", tags=["devices"])
def devices(who: Reader, tx: InTx, cursor: str | None = None, limit: Limit = 100) -> Page[DeviceOut]:
    """Devices, in the order of their registration."""
    try:
        after = int(cursor or 0)
    except ValueError as cause:
        raise CursorError("this cursor was not given by this list; start without one") from cause
    rows = list_devices(tx.conn, who.scope, after=after, limit=limit + 1)
    more = len(rows) > limit
    return Page(items=[device_out(row) for row in rows[:limit]], next=str(rows[limit - 1].no) if more else None)


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
    start: Annotated[datetime | None, Query(alias="from", description="event time; default a day before `to`")] = None,
    end: Annotated[datetime | None, Query(alias="to", description="event time, left out; default now")] = None,
    limit: Annotated[int, Query(ge=1, le=_READINGS_MOST)] = 1000,
) -> Page[ReadingOut]:
    """Readings by event time. Where there are more than `limit`, `next` is the `from` that goes on."""
    row = get_device(tx.conn, who.scope, org, device)
    if row is None:
        raise not_found("device")
    last = end or tx.now
    first = start or last - timedelta(days=1)
    if first.tzinfo is None or last.tzinfo is None:
        raise ProblemError(422, "invalid", "Invalid request", "from and to need an offset, as in RFC 3339")
    channels = tuple(context.catalogue[row.kind].channels)
    rows = list_readings(tx.conn, row.no, row.kind, channels, start=first, end=last, limit=limit + 1)
    items = [
        ReadingOut(
            t=r["t"],
            arrival=r["arrival"],
            epoch=r["epoch"],
            seq=r["seq"],
            sub=r["sub"],
            phase=r["phase"],
            late=r["late"],
            q={name: r[name] for name in channels},
        )
        for r in rows[:limit]
    ]
    return Page(items=items, next=rows[limit]["t"].isoformat() if len(rows) > limit else None)


@router.get("/findings", tags=["findings"])
def findings(  # noqa: PLR0917  (named by FastAPI)
    who: Reader,
    tx: InTx,
    device: Annotated[str | None, Query(description="org/device")] = None,
    state: Annotated[str | None, Query(pattern="^(open|ended)$")] = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[FindingOut]:
    """Findings, newest first."""
    try:
        key = parse_key(device) if device else None
    except WireError as cause:
        raise ProblemError(422, "invalid", "Invalid request", cause.detail) from cause
    rows = list_findings(tx.conn, who.scope, device=key, state=state, after=decode_cursor(cursor), limit=limit + 1)
    return page(rows, limit, finding_out, lambda row: Cursor(row.opened, row.id))


@router.get("/findings/{finding}", tags=["findings"])
def one_finding(finding: UUID, who: Reader, tx: InTx) -> FindingOut:
    """One finding with its evidence."""
    row = get_finding(tx.conn, who.scope, finding)
    if row is None:
        raise not_found("finding")
    return finding_out(row)
