"""`/v1` for engineers: signals, the way of messages, files, what a worker observes again, shadows."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from api.auth import Principal, Right, needs
from api.context import Context, InContext, InTx, Tx
from api.lab_export import Form, export
from api.lab_replay import find_decision
from api.lab_scoreboard import read_shadows
from api.lab_signals import MOST, Span, read_signals, stretch_of
from api.lab_way import missing, read_way
from api.problems import invalid, not_found
from api.reads import named, note_read
from api.said import said
from api.v1.lab_models import (
    BenchOut,
    ColumnsOut,
    EpochOut,
    LetterOut,
    ObservedOut,
    RunOut,
    ShadowOut,
    ShadowsOut,
    SignalsOut,
    SpanOut,
    WayOut,
)
from api.v1.models import GivenMoment, Page
from api.v1.paging import Paging, listing
from api.v1.router import V1Router
from storage.lab_store import Asked, LabRun, ask_run, latest_run, open_run
from storage.read_devices import DeviceView, get_device
from storage.read_lab import letters_of
from storage.read_models import EVERYTHING
from telemetry.clock import to_micros

router = V1Router()
LabReader = Annotated[Principal, Depends(needs(Right.SEE_LAB))]
LabSteerer = Annotated[Principal, Depends(needs(Right.STEER_LAB))]
_From = Annotated[GivenMoment | None, Query(alias="from", description="event time; default a day before `to`")]
_To = Annotated[GivenMoment | None, Query(alias="to", description="event time, left out; default now")]
_FILES: dict[str, dict[str, str]] = {"text/csv": {}, "application/vnd.apache.parquet": {}}


def lab_device(tx: Tx, who: Principal, context: Context, org: str, device: str) -> DeviceView:
    """A device of a kind that the catalogue has.

    Raises:
        ProblemError: 404, it is not there or not in scope.
    """
    row = get_device(tx.conn, who.scope, org, device)
    if row is None or row.kind not in context.catalogue.kinds:
        raise not_found("device")
    return row


@router.get("/devices/{org}/{device}/signals", tags=["lab"])
def device_signals(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    who: LabReader,
    tx: InTx,
    context: InContext,
    start: _From = None,
    end: _To = None,
    steps: Annotated[int, Query(ge=1, le=500, description="at most so many")] = 500,
) -> SignalsOut:
    """Every channel in steps of equal width: least, greatest, mean; gaps, and phases of work."""
    row = lab_device(tx, who, context, org, device)
    if start is not None and start >= (end or tx.now):
        raise invalid(said("`from` lies behind `to`"))
    if start is not None and (end or tx.now) - start > MOST:
        raise invalid(said("a stretch is at most {n} days long", n=MOST.days))
    found = read_signals(
        tx.conn, row, context.catalogue[row.kind], stretch_of("", start, end or tx.now, tx.now), tx.now, most=steps
    )
    envelope = found.envelope
    return SignalsOut(
        start=found.stretch.start,
        end=found.stretch.end,
        step_s=envelope.width.total_seconds(),
        t=envelope.at,
        n=envelope.n,
        channels={
            name: ColumnsOut(low=envelope.low[name], high=envelope.high[name], mean=envelope.mean[name])
            for name in envelope.mean
        },
        gaps=[_span(each) for each in found.gaps],
        active=[_span(each) for each in found.active],
    )


@router.get("/devices/{org}/{device}/way", tags=["lab"])
def device_way(org: str, device: str, who: LabReader, tx: InTx, context: InContext) -> WayOut:
    """What became of a device's messages: receipts, gaps, losses, dead letters, and how its clock stands."""
    found = read_way(tx, lab_device(tx, who, context, org, device))
    seen = found.observed
    return WayOut(
        epochs=[
            EpochOut(epoch=each.epoch, upto=each.upto, waiting=sum(b - a + 1 for a, b in missing(each)))
            for each in found.epochs
        ],
        gaps=found.gaps,
        observed=None
        if seen is None
        else ObservedOut(epoch=seen.epoch, seq=seen.seq, health=seen.health, last_reading=seen.last_t),
        lost_7d=found.lost.messages,
        late_2d=found.times.late,
        arrival_after_event_s=found.times.least,
        dead_letters=found.dead,
        detector_errors=len(found.errors),
    )


@router.get("/devices/{org}/{device}/dead-letters", tags=["lab"])
def device_dead_letters(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    who: LabReader,
    tx: InTx,
    context: InContext,
    paging: Annotated[Paging, Depends(listing(50))],
) -> Page[LetterOut]:
    """What came of a device and could not be taken, the newest first."""
    row = lab_device(tx, who, context, org, device)
    rows = letters_of(tx.conn, row.org, row.device, limit=paging.limit + 1, before=paging.after(int))
    return paging.page(
        rows,
        lambda each: LetterOut(
            id=each.id,
            reason=each.reason,
            detail=each.detail,
            arrival=each.arrival,
            epoch=each.epoch,
            seq=each.seq,
            bytes=each.size,
            replayed=each.replayed,
        ),
        lambda each: each.id,
    )


@router.get(
    "/devices/{org}/{device}/export", tags=["lab"], responses={200: {"content": _FILES}}, response_class=Response
)
def device_export(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    who: LabReader,
    tx: InTx,
    context: InContext,
    start: _From = None,
    end: _To = None,
    form: Annotated[Form, Query(alias="format")] = Form.CSV,
) -> Response:
    """Readings as a file: CSV, or Parquet where the server has the extra."""
    row = lab_device(tx, who, context, org, device)
    note_read(tx, who, f"readings of {org}/{device}", row.household)
    return export(context, row, context.catalogue[row.kind], stretch_of("", start, end or tx.now, tx.now), form)


@router.get("/devices/{org}/{device}/trace", tags=["lab"])
def device_trace(org: str, device: str, who: LabReader, tx: InTx, context: InContext) -> BenchOut:
    """What detectors made of each cycle, as a worker observed it again when it was last asked."""
    row = lab_device(tx, who, context, org, device)
    return _bench(tx, Asked("trace", row.no))


@router.post("/devices/{org}/{device}/trace", tags=["lab"], status_code=201)
def ask_device_trace(org: str, device: str, who: LabSteerer, tx: InTx, context: InContext) -> RunOut:
    """Ask a worker to observe a device again, with features and scores of every cycle."""
    row = lab_device(tx, who, context, org, device)
    return _ask(tx, context, who, Asked("trace", row.no))


@router.get("/findings/{finding}/replay", tags=["lab"])
def finding_replay(finding: UUID, who: LabReader, tx: InTx) -> BenchOut:
    """Whether the decision is the same when it is made again, and on what it rested, step by step."""
    return _bench(tx, _decision(tx, who, finding))


@router.post("/findings/{finding}/replay", tags=["lab"], status_code=201)
def ask_finding_replay(finding: UUID, who: LabSteerer, tx: InTx, context: InContext) -> RunOut:
    """Ask a worker to make a finding's decision again from what is stored, and to compare it to the last bit."""
    return _ask(tx, context, who, _decision(tx, who, finding))


@router.get("/shadows", tags=["lab"])
def shadows(who: LabReader, tx: InTx) -> ShadowsOut:
    """Detectors in the shadow beside the live ones. They observe the whole fleet: a narrowed token sees none."""
    found = read_shadows(tx.conn) if who.scope == EVERYTHING else []
    return ShadowsOut(
        items=[
            ShadowOut(
                name=each.view.name,
                version=each.view.version,
                devices=each.view.devices,
                failed=each.view.failed,
                compared={name: value for name, value in each.report.items() if name != "differences"},
            )
            for each in found
        ]
    )


def _span(span: Span) -> SpanOut:
    return SpanOut(start=span.start, end=span.end, phase=span.phase)


def _decision(tx: Tx, who: Principal, finding: UUID) -> Asked:
    found = find_decision(tx.conn, who.scope, str(finding))
    if found is None:
        raise not_found("finding")
    return Asked("decision", found.device.no, found.subject)


def _bench(tx: Tx, asked: Asked) -> BenchOut:
    done, going = latest_run(tx.conn, asked), open_run(tx.conn, asked)
    newest = going or done
    return BenchOut(run=None if newest is None else run_out(newest), result=None if done is None else done.result)


def _ask(tx: Tx, context: Context, who: Principal, asked: Asked) -> RunOut:
    ask_run(tx.conn, context.ids.at(to_micros(tx.now)), asked, by=named(who), now=tx.now)
    going = open_run(tx.conn, asked)
    if going is None:
        raise not_found("object")
    return run_out(going)


def run_out(run: LabRun) -> RunOut:
    """A run as it is told."""
    return RunOut(
        id=run.id,
        state=run.state,  # type: ignore[arg-type]  # the table's check
        share=run.share,
        asked=run.asked,
        asked_by=run.asked_by,
        ended=run.ended,
        error=run.error,
    )
