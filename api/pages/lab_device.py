"""One device, live: every channel on one time axis, what happened to it, what detectors make of it, its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from markupsafe import Markup

from api.auth import LabHand, LabPerson, Right, check_csrf, staff_may, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words
from api.lab_export import Form as FileForm
from api.lab_export import export
from api.lab_signals import RANGES, Signals, Stretch, read_signals, stretch_of
from api.lab_way import Way, read_way
from api.pages.case import ICONS
from api.pages.lab_scores import scores_of
from api.pages.lab_strips import AxisMark, Trace, marks_strip, strip, time_strip
from api.pages.lab_words import family_title, health_of, kind_title, tabs
from api.pages.shell import staff_page, staff_words
from api.problems import not_found
from api.reads import note_read
from api.simulator import device_status
from api.units import Unit, unit_of
from storage.access import StaffRow
from storage.lab_store import Asked, ask_run
from storage.read_devices import DeviceView, get_device
from storage.read_lab import zone_of_device
from telemetry.catalogue import ChannelSpec, KindSpec
from telemetry.clock import to_micros

router = APIRouter(prefix="/lab/{org}/{device}", include_in_schema=False)
_TABLE_ROWS = 24
_SOON_S = 0.3
"""A page waits no longer for a fleet that is busy."""
_BEHIND = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Strip:
    """A channel with its picture, its latest value and its extremes in the stretch."""

    id: str
    title: str
    unit: str
    svg: Markup
    value: str
    extremes: str


@dataclass(frozen=True, slots=True)
class RangeLink:
    """A way to another stretch."""

    name: str
    path: str
    chosen: bool = False


class _Look:
    """One device between two times, as one person asks for it."""

    def __init__(  # noqa: PLR0917  (all of them are the look)
        self,
        request: Request,
        org: str,
        device: str,
        person: LabPerson,
        tx: InTx,
        context: InContext,
        named: Annotated[str, Query(alias="range", max_length=8)] = "",
        start: Annotated[datetime | None, Query(alias="from")] = None,
        end: Annotated[datetime | None, Query(alias="to")] = None,
    ) -> None:
        self.request, self.person, self.tx, self.context = request, person, tx, context
        self.row, self.kind, self.t = _device(request, org, device, person, tx, context)
        self.stretch = stretch_of(named, _aware(start, self.t), _aware(end, self.t), tx.now)

    def signals(self) -> Signals:
        """What was said and found in the stretch."""
        return read_signals(self.tx.conn, self.row, self.kind, self.stretch, self.tx.now)

    def note(self, what: str) -> None:
        """Write down that it was looked at."""
        note_read(self.tx, self.person, f"{what} of {self.row.org}/{self.row.device}", self.row.household)


InLook = Annotated[_Look, Depends()]
"""The device and the stretch that an address names."""


@router.get("")
def lab_device(look: InLook, family: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Everything that is known of a device between two times."""
    tx, context, row, kind, t, stretch = look.tx, look.context, look.row, look.kind, look.t, look.stretch
    signals = look.signals()
    marks = _marks(t, kind, signals, tx.now)
    way = read_way(tx, row)
    simulated = device_status(context, row, _SOON_S) if context.settings.sim_folder is not None else None
    look.note("signals")
    return staff_page(
        look.request,
        context,
        look.person,
        "lab_device.html",
        t,
        tabs=tabs(t),
        row=row,
        base=f"/lab/{row.org}/{row.device}",
        icon_name=ICONS.get(row.kind, "plug"),
        title=" ".join(part for part in (kind_title(t, context.catalogue, row.kind), row.model) if part),
        health=health_of(t, row.health, row.last_t),
        way=way,
        facts=_facts(t, row, way, "" if simulated is None else str(simulated["fw"])),
        behind=_behind(t, row, tx.now),
        strips=_strips(t, kind, signals, marks),
        marks=marks_strip(t, marks, stretch),
        axis=time_strip(t, stretch),
        happened=[(mark.kind, mark.label, t.stamp(mark.at)) for mark in marks if mark.kind != "now"],
        empty=not signals.envelope.at,
        active=bool(signals.active),
        table=_table(t, kind, signals),
        ranges=_ranges(t, stretch),
        ways=_ways(t, stretch, tx.now),
        stretch=stretch,
        when=_when(t, stretch),
        live=stretch.name in ("1h", "1d"),
        query=urlencode(_query(stretch)),
        scores=scores_of(t, tx, context, row, family),
        episodes=[
            (
                each,
                family_title(t, kind, each.family),
                t.life(each.life_low, each.life_high)
                if each.life_low is not None and each.life_high is not None
                else "",
            )
            for each in signals.episodes
        ],
        may_steer=staff_may(look.person, Right.STEER_LAB),
        in_simulator=simulated is not None,
    )


@router.get("/signals")
def lab_signals(look: InLook) -> Response:
    """The same signals as numbers, for the page's script: to zoom into and to follow."""
    numbers = _numbers(look.t, look.row, look.kind, look.signals(), look.tx.now)
    return JSONResponse(numbers, headers={"Cache-Control": "no-store"})


@router.get("/readings.{form}")
def lab_export(look: InLook, form: FileForm) -> Response:
    """The readings themselves, as a file."""
    look.note("readings")
    return export(look.context, look.row, look.kind, look.stretch, form)


@router.post("/trace")
def lab_trace(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    org: str,
    device: str,
    person: LabHand,
    tx: InTx,
    context: InContext,
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Ask a worker to observe the device again and to say what it sees, cycle by cycle."""
    check_csrf(request, csrf)
    row, _, _ = _device(request, org, device, person, tx, context)
    ident = context.ids.at(to_micros(tx.now))
    ask_run(tx.conn, ident, Asked("trace", row.no), by=f"staff:{person.login}", now=tx.now)
    return RedirectResponse(f"/lab/{org}/{device}#scores", 303)


def _device(  # noqa: PLR0917  (what a request has)
    request: Request, org: str, device: str, person: StaffRow, tx: Tx, context: Context
) -> tuple[DeviceView, KindSpec, Words]:
    row = get_device(tx.conn, staff_scope(person), org, device)
    if row is None or row.kind not in context.catalogue.kinds:
        raise not_found("device")
    return row, context.catalogue[row.kind], staff_words(request, person, zone_of_device(tx.conn, row.no))


def _aware(moment: datetime | None, t: Words) -> datetime | None:
    """A time without an offset, as a form gives it, is local."""
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=t.zone)


def _query(stretch: Stretch) -> dict[str, str]:
    if stretch.name:
        return {"range": stretch.name}
    return {"from": stretch.start.isoformat(), "to": stretch.end.isoformat()}


def _ranges(t: Words, stretch: Stretch) -> list[RangeLink]:
    names = {"1h": t.plain("1 hour"), "1d": t.plain("1 day"), "7d": t.plain("7 days"), "90d": t.plain("90 days")}
    return [RangeLink(names[name], f"?range={name}", stretch.name == name) for name in RANGES]


def _ways(t: Words, stretch: Stretch, now: datetime) -> list[RangeLink]:
    """Earlier, later, closer, wider: what a drag does, by a click."""

    def link(name: str, to: Stretch) -> RangeLink:
        return RangeLink(name, "?" + urlencode(_query(to)))

    found = [link(t.plain("Earlier"), stretch.moved(-0.5))]
    if stretch.end < now:
        found.append(link(t.plain("Later"), stretch.moved(0.5)))
    return [*found, link(t.plain("Closer"), stretch.scaled(0.5)), link(t.plain("Wider"), stretch.scaled(2.0))]


def _when(t: Words, stretch: Stretch) -> str:
    return t.plain("{start} to {end}", start=t.stamp(stretch.start), end=t.stamp(stretch.end))


def _behind(t: Words, row: DeviceView, now: datetime) -> str:
    """How far the last reading lies behind; empty when that is long ago."""
    if row.last_t is None or row.health == "unknown":
        return ""
    return t.plain("Live, {span} behind", span=t.span(max(now - row.last_t, timedelta())))


def _facts(t: Words, row: DeviceView, way: Way, firmware: str) -> list[tuple[str, str]]:
    """The way of its messages in a few numbers."""
    newest = way.epochs[0] if way.epochs else None
    times = way.times
    clock = "–" if times.least is None else t.plain("{n} s", n=t.number(times.least, 1))
    facts = [
        (t.plain("Epoch, receipts up to"), "–" if newest is None else f"{newest.epoch} · {t.number(newest.upto)}"),
        (
            t.plain("Observed up to"),
            "–" if way.observed is None else f"{way.observed.epoch} · {t.number(way.observed.seq)}",
        ),
        (
            t.plain("Gaps, 7 days"),
            t.plain("{waiting} waiting, {lost} lost", waiting=t.number(way.waiting), lost=t.number(way.lost.messages)),
        ),
        (t.plain("Late, 7 days"), t.plain("{n} of {all}", n=t.number(times.late), all=t.number(times.messages))),
        (t.plain("Arrival after event, least"), clock),
        (t.plain("Dead letters"), t.number(way.dead)),
        (t.plain("Serial number"), row.serial or "–"),
        (t.plain("Production lot"), row.lot or "–"),
    ]
    if row.firmware is not None and row.firmware_since is not None:
        since = t.plain("{version}, since {when}", version=row.firmware, when=t.stamp(row.firmware_since))
        facts.append((t.plain("Firmware"), since))
    if firmware and firmware != row.firmware:
        facts.append((t.plain("Firmware in the simulator"), firmware))
    return facts


def _marks(t: Words, kind: KindSpec, signals: Signals, now: datetime) -> list[AxisMark]:
    marks: list[AxisMark] = []
    for each in signals.episodes:
        name = family_title(t, kind, each.family)
        onset = t.plain("onset of {fault}", fault=name)
        marks.append(AxisMark(each.onset, "onset", onset, each.onset_low, each.onset_high))
        marks.append(AxisMark(each.opened, "finding", t.plain("finding {fault}", fault=name)))
    marks += [AxisMark(each.start, "visit", t.plain("visit {ref}", ref=each.ref)) for each in signals.visits]
    marks += [AxisMark(each.at, "repair", t.plain("repair")) for each in signals.repairs]
    marks += [AxisMark(at, "event", code) for at, code in signals.events]
    if signals.stretch.start <= now <= signals.stretch.end and signals.stretch.end - now > timedelta(minutes=1):
        marks.append(AxisMark(now, "now", t.plain("now")))
    return marks


def _unit(spec: ChannelSpec, known: Sequence[float]) -> Unit:
    """How a channel's values are shown; a share of time in percent."""
    sizes = sorted(abs(value) for value in known)
    return unit_of(spec.unit, sizes[len(sizes) * 9 // 10] if sizes else 1.0)


def _strips(t: Words, kind: KindSpec, signals: Signals, marks: list[AxisMark]) -> list[Strip]:
    found = []
    envelope = signals.envelope
    for name, spec in kind.channels.items():
        low, high, mean = envelope.low[name], envelope.high[name], envelope.mean[name]
        known = [v for v in mean if v is not None]
        unit = _unit(spec, known)
        title, shown = t.pick(spec.title), unit.name(t.lang)
        if not known:
            svg = strip(
                name, title, t.plain("Nothing was said of it in this stretch."), Trace([], [], [], []), signals, marks
            )
            found.append(Strip(name, title, shown, svg, "–", ""))
            continue
        least = min(v for v in low if v is not None) * unit.scale
        most = max(v for v in high if v is not None) * unit.scale
        latest = t.number(known[-1] * unit.scale, unit.decimals)
        extremes = t.plain("{low} to {high}", low=t.number(least, unit.decimals), high=t.number(most, unit.decimals))
        desc = t.plain("Latest {latest}; between {extremes} in this stretch.", latest=latest, extremes=extremes)
        svg = strip(name, title, desc, Trace(envelope.at, low, high, mean), signals, marks)
        found.append(Strip(name, title, shown, svg, latest, extremes))
    return found


def _table(t: Words, kind: KindSpec, signals: Signals) -> list[tuple[str, list[str]]]:
    """The stretch in at most so many rows: the mean of each channel and its extremes."""
    envelope = signals.envelope
    units = {
        name: _unit(spec, [v for v in envelope.mean[name] if v is not None]) for name, spec in kind.channels.items()
    }
    piece = -(-len(envelope.at) // _TABLE_ROWS) or 1
    groups = [range(i, min(i + piece, len(envelope.at))) for i in range(0, len(envelope.at), piece)]

    def cell(name: str, steps: range) -> str:
        unit = units[name]
        means = [(v, envelope.n[i]) for i in steps if (v := envelope.mean[name][i]) is not None]
        if not means:
            return "–"
        mean = sum(v * n for v, n in means) / sum(n for _, n in means)
        low = min(v for i in steps if (v := envelope.low[name][i]) is not None)
        high = max(v for i in steps if (v := envelope.high[name][i]) is not None)
        said = [t.number(v * unit.scale, unit.decimals) for v in (mean, low, high)]
        return said[0] if said[1] == said[2] else f"{said[0]} ({said[1]}–{said[2]})"

    return [(t.stamp(envelope.at[steps[0]]), [cell(name, steps) for name in kind.channels]) for steps in groups]


def _numbers(t: Words, row: DeviceView, kind: KindSpec, signals: Signals, now: datetime) -> dict[str, Any]:
    """Columns for the script: seconds, then least, greatest and mean of each channel; a gap is a step of nulls."""
    envelope, ends = signals.envelope, {gap.end for gap in signals.gaps}
    marks = _marks(t, kind, signals, now)
    half = envelope.width / 2
    order: list[int | None] = []
    times: list[float] = []
    for i, at in enumerate(envelope.at):
        if at in ends and i:
            order.append(None)
            times.append((at - envelope.width / 4).timestamp())
        order.append(i)
        times.append((at + half).timestamp())
    channels = []
    for name, spec in kind.channels.items():
        unit = _unit(spec, [v for v in envelope.mean[name] if v is not None])
        columns = [
            [None if i is None or (v := column[i]) is None else round(v * unit.scale, unit.decimals + 2) for i in order]
            for column in (envelope.low[name], envelope.high[name], envelope.mean[name])
        ]
        known = [v for v in columns[2] if v is not None]
        channels.append(
            {
                "id": name,
                "columns": columns,
                "decimals": unit.decimals,
                "value": t.number(known[-1], unit.decimals) if known else "–",
            }
        )
    return {
        "start": signals.stretch.start.timestamp(),
        "end": signals.stretch.end.timestamp(),
        "now": now.timestamp(),
        "offset": (offset.total_seconds() if (offset := t.local(now).utcoffset()) is not None else 0),
        "t": times,
        "channels": channels,
        "gaps": [[gap.start.timestamp(), gap.end.timestamp()] for gap in signals.gaps],
        "active": [[span.start.timestamp(), span.end.timestamp()] for span in signals.active],
        "marks": [{"at": mark.at.timestamp(), "kind": mark.kind} for mark in marks],
        "pictures": {
            "marks": marks_strip(t, marks, signals.stretch),
            "axis": time_strip(t, signals.stretch),
        },
        "when": _when(t, signals.stretch),
        "behind": _behind(t, row, now),
        "health": row.health,
    }
