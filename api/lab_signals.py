"""A device's signals over a stretch of time, for engineers' pages and `/v1`: envelopes, gaps, phases, marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from storage.pool import Connection
from storage.read_devices import DeviceView
from storage.read_envelopes import Envelope, read_envelope, read_phases
from storage.read_lab import Episode, RepairMark, VisitMark, episodes_of, events_of, repairs_of, visits_of_device
from telemetry.catalogue import KindSpec

RANGES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "90d": timedelta(days=90)}
"""Stretches that end now, by name."""
USUAL = "1d"
LEAST = timedelta(seconds=30)
MOST = timedelta(days=400)
_PHASES_WITHIN = timedelta(days=8)
_MOST_PHASES = 400
_SILENT = 3


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of event time.

    Attributes:
        start: where it begins.
        end: where it ends.
        name: one of `RANGES`, or empty.
    """

    start: datetime
    end: datetime
    name: str = ""

    @property
    def span(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def moved(self, share: float) -> Stretch:
        """Earlier or later by a share of itself."""
        return Stretch(self.start + self.span * share, self.end + self.span * share)

    def scaled(self, factor: float) -> Stretch:
        """Wider or closer about its middle, within what can be shown."""
        half = min(max(self.span * factor, LEAST), MOST) / 2
        middle = self.start + self.span / 2
        return Stretch(middle - half, middle + half)


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; of a phase also which."""

    start: datetime
    end: datetime
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Signals:
    """Everything that stands on the time axis of a device.

    Attributes:
        stretch: what was asked for.
        envelope: the channels.
        gaps: where nothing was said for longer than is usual.
        active: phases in which the appliance works.
        episodes: findings.
        visits: to the device.
        repairs: entered.
        events: time and code.
    """

    stretch: Stretch
    envelope: Envelope
    gaps: list[Span]
    active: list[Span]
    episodes: list[Episode]
    visits: list[VisitMark]
    repairs: list[RepairMark]
    events: list[tuple[datetime, str]] = field(default_factory=list)


def stretch_of(name: str, start: datetime | None, end: datetime | None, now: datetime) -> Stretch:
    """The stretch that was asked for: a name, or two times; what cannot be shown becomes the nearest that can."""
    if start is None and end is None:
        known = name if name in RANGES else USUAL
        return Stretch(now - RANGES[known], now, known)
    until = end or now
    since = start if start is not None and start < until else until - RANGES[USUAL]
    return Stretch(max(since, until - MOST) if until - since >= LEAST else until - LEAST, until)


def read_signals(
    conn: Connection, device: DeviceView, kind: KindSpec, stretch: Stretch, now: datetime, *, most: int = 500
) -> Signals:
    """Read a device's signals.

    Args:
        conn: a connection.
        device: whose.
        kind: its page of the catalogue.
        stretch: of event time.
        now: fleet time; silence until then is a gap, too.
        most: steps.
    """
    channels = tuple(kind.channels)
    envelope = read_envelope(conn, device.no, device.kind, channels, start=stretch.start, end=stretch.end, most=most)
    active: list[Span] = []
    if kind.phases and stretch.span <= _PHASES_WITHIN:
        begun = read_phases(conn, device.no, device.kind, start=stretch.start, end=stretch.end)
        # A phase is known as long as readings are: nothing is said of what may have come since.
        last = envelope.at[-1] + envelope.width if envelope.at else stretch.start
        active = _active(begun, kind, min(stretch.end, now, last))
    return Signals(
        stretch,
        envelope,
        gaps_of(envelope.at, envelope.width, _longest(envelope, kind), _unsent(kind), min(stretch.end, now)),
        active if len(active) <= _MOST_PHASES else [],
        [
            each
            for each in episodes_of(conn, device.no)
            if each.onset_low < stretch.end and each.observed > stretch.start
        ],
        [each for each in visits_of_device(conn, device.no) if stretch.start <= each.start < stretch.end],
        [each for each in repairs_of(conn, device.no) if stretch.start <= each.at < stretch.end],
        [(t, str(code)) for t, code in events_of(conn, device.no, stretch.start, stretch.end)],
    )


def gaps_of(
    at: Sequence[datetime], width: timedelta, longest: timedelta, unsent: timedelta, end: datetime
) -> list[Span]:
    """Where steps are farther apart than readings usually are, and silence up to the end.

    Args:
        at: where each step with readings begins.
        width: of a step.
        longest: rest between readings that is no gap.
        unsent: a device that sends batches is silent for so long until the next one.
        end: of the stretch, or now.
    """
    found = [Span(a + width, b) for a, b in pairwise(at) if b - a - width > longest]
    if at and end - at[-1] - width > max(longest, unsent):
        found.append(Span(at[-1] + width, end))
    return found


def _longest(envelope: Envelope, kind: KindSpec) -> timedelta:
    """The longest rest between readings that is no gap."""
    every = max((phase.every for phase in kind.phases.values()), default=60.0)
    return max(envelope.width, timedelta(seconds=_SILENT * every))


def _unsent(kind: KindSpec) -> timedelta:
    """What a device gathers before it sends."""
    return timedelta(seconds=max((phase.every * phase.batch for phase in kind.phases.values()), default=0.0))


def _active(begun: list[tuple[datetime, str | None]], kind: KindSpec, end: datetime) -> list[Span]:
    if not begun:
        return []
    ends = [*(t for t, _ in begun[1:]), end]
    return [
        Span(start, stop, phase)
        for (start, phase), stop in zip(begun, ends, strict=True)
        if phase in kind.phases and kind.phases[phase].active and start < stop
    ]
