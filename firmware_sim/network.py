"""The network between devices and broker as a model: who is offline when, which message comes late, twice or again.

No clock and no socket: everything is a function of (seed, device, time or seq, dated changes). The trial uses it with
fleet time alone; the runner holds real connections and messages back by it. Times are fleet microseconds, devices are
indices in the fleet.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from firmware_sim import chance
from firmware_sim.chance import generator
from firmware_sim.names import known_name
from firmware_sim.network_spec import Link
from firmware_sim.wear import DAY, HOUR
from telemetry.clock import MICROS

RESEND = 30 * MICROS
"""A lost message is sent again after this, see `firmware_sim.device`."""
BACKFILL = 1_200_000
"""What waited in the spool is sent within this after a reconnect."""
_ALWAYS = 24.0
_LONGEST = 10.0
"""No outage is longer than so many means."""
_TAME = 3.0
"""Clock errors are drawn from a normal distribution cut off here, so that the worst clock of a fleet is known."""
_MOST_LOSSES = 20
_DRAWS = 8
_KEPT_DAYS = 64
_FIELDS = tuple(Link.__dataclass_fields__)


class Network:
    """The links of a fleet.

    Args:
        seed: of the fleet.
        links: of each device, by its index in the fleet.
        start: fleet time at which clocks begin to drift.
    """

    def __init__(self, seed: int, links: Mapping[int, Link], start: int) -> None:
        self._seed, self._start = seed, start
        self._eras: dict[int, list[tuple[int, Link]]] = {one: [(-1, link)] for one, link in links.items()}
        self._perfect = {one: _perfect(link) for one, link in links.items()}
        self._outages: dict[int, dict[int, tuple[tuple[int, int], ...]]] = {one: {} for one in links}
        self._touching: dict[int, dict[int, tuple[tuple[int, int], ...]]] = {one: {} for one in links}
        self._fate = dict(zip(links, chance.keys(seed, links, "delivery"), strict=True))
        clock = chance.keys(seed, links, "clock")
        draws = [chance.uniform(clock, i) for i in range(5)]
        errors = zip(_normal(draws[0], draws[1]), _normal(draws[2], draws[3]), draws[4], strict=True)
        self._clock = {one: (float(a), float(b), float(c)) for one, (a, b, c) in zip(links, errors, strict=True)}

    def __len__(self) -> int:
        return len(self._eras)

    def link(self, device: int, at: int) -> Link:
        """The link in force at a time."""
        eras = self._eras[device]
        if len(eras) == 1:
            return eras[0][1]
        return eras[bisect_right(eras, at, key=lambda era: era[0]) - 1][1]

    def change(self, device: int | None, at: int, values: Mapping[str, float] | None) -> None:
        """From a time on a link is another: these fields of it, or, with None, as the scenario has it.

        Args:
            device: index; None for all devices.
            at: fleet time.
            values: by the names of `Link`.

        Raises:
            UnknownNameError: `Link` has no such field.
        """
        for name in values or ():
            known_name("field of a link", name, _FIELDS)
        for one in self._eras if device is None else (device,):
            eras = self._eras[one]
            link = eras[0][1] if values is None else replace(self.link(one, at), **dict(values))
            eras[:] = [era for era in eras if era[0] != at]
            insort(eras, (at, link), key=lambda era: era[0])
            self._outages[one].clear()
            self._touching[one].clear()
            self._perfect[one] = all(_perfect(link) for _, link in eras)

    def perfect(self, device: int) -> bool:
        """Whether nothing ever happens on a device's link."""
        return self._perfect[device]

    # Connection

    def offline(self, device: int, at: int) -> bool:
        """Whether a device has no connection at a time."""
        return self._window(device, at) is not None

    def online_at(self, device: int, at: int) -> int | None:
        """The earliest time, not before `at`, at which a device has a connection; None when it never comes back."""
        while (window := self._window(device, at)) is not None:
            begin, at = window
            if self.link(device, begin).offline_hours >= _ALWAYS and self._eras[device][-1][0] <= begin:
                return None
        return at

    def next_turn(self, device: int, at: int, horizon: int) -> int:
        """When a device loses or finds its connection next after `at`; the horizon when not before it."""
        if self.perfect(device):
            return horizon
        if self.offline(device, at):
            back = self.online_at(device, at)
            return horizon if back is None else min(back, horizon)
        day = at // DAY
        while day * DAY < horizon:
            begins = [begin for begin, _ in self.outages(device, day) if at < begin < horizon]
            if begins:
                return min(begins)
            day += 1
        return horizon

    def outages(self, device: int, day: int) -> tuple[tuple[int, int], ...]:
        """`(begin, end)` of the outages that begin on a day, in order; they may overlap.

        They begin at random (a Poisson process whose rate makes the wanted share of time offline), their lengths are
        exponential; the end includes the jitter of the reconnect. A change of the link ends them.
        """
        known = self._outages[device]
        if day not in known:
            if len(known) >= _KEPT_DAYS:
                known.clear()
            known[day] = self._draw_outages(device, day)
        return known[day]

    # Messages

    def deliveries(self, device: int, seq: int, done: int) -> tuple[int, ...]:
        """When a message arrives: once, twice, or never while its device does not come back.

        Args:
            device: index.
            seq: of the message.
            done: when it was complete.
        """
        if self.perfect(device):
            return (done,)
        found = []
        for delay in self.delays(device, seq, done):
            at = done + delay
            back = self.online_at(device, at)
            if back is None:
                continue
            if back > at:
                # The spool is emptied in order: what waited longest comes first.
                at = back + round(BACKFILL * HOUR / (HOUR + back - at))
            found.append(at)
        return tuple(sorted(found))

    def delays(self, device: int, seq: int, at: int) -> tuple[int, ...]:
        """What the link adds to a message's way while there is a connection: one delay a copy, microseconds.

        Args:
            device: index.
            seq: of the message.
            at: when it is sent.
        """
        link = self.link(device, at)
        if not (link.duplicates or link.reorder or link.loss):
            return (0,)
        counters = seq * _DRAWS + np.arange(_DRAWS, dtype=np.int64)
        late, how_late, twice, how_twice, lost = chance.uniform(self._fate[device], counters)[:5].tolist()
        delay = round(how_late * link.reorder_seconds * MICROS) if late < link.reorder else 0
        delay += RESEND * _losses(lost, link.loss)
        if twice < link.duplicates:
            return (delay, delay + round(how_twice * RESEND))
        return (delay,)

    # Clock and restarts

    def clock_error(self, device: int, at: int) -> int:
        """How much a device's clock is fast at a time, microseconds; a step of NTP makes it right.

        Offset and rate error are normal over devices and cut off at three standard deviations.
        """
        link = self.link(device, at)
        if not (link.clock_offset_s or link.clock_drift_ppm):
            return 0
        wrong, fast, phase = self._clock[device]
        since, offset = self._start, wrong * link.clock_offset_s * MICROS
        if link.ntp_days > 0:
            period = max(round(link.ntp_days * DAY), 1)
            first = self._start + round(phase * period)
            if at >= first:
                since, offset = first + (at - first) // period * period, 0.0
        return round(offset + fast * link.clock_drift_ppm * 1e-6 * (at - since))

    def skewed(self, device: int, at: int) -> int:
        """What a device's clock shows at a fleet time."""
        return at + self.clock_error(device, at)

    def reboots(self, device: int, day: int) -> tuple[int, ...]:
        """When a device restarts on a day, in order."""
        found: list[int] = []
        for begin, end, link in self._parts(device, day):
            if link.reboots > 0:
                rng = generator(self._seed, device, "reboot", day)
                times = day * DAY + (rng.random(int(rng.poisson(link.reboots))) * DAY).astype(np.int64)
                found += [int(at) for at in times if begin <= at < end]
        return tuple(sorted(found))

    def longest_reboot(self) -> float:
        """Seconds that a restart takes at most, over all links there are and were."""
        return max((link.reboot_s for eras in self._eras.values() for _, link in eras), default=0.0)

    def _parts(self, device: int, day: int) -> list[tuple[int, int, Link]]:
        """A day by the links that hold on it."""
        first, last = day * DAY, (day + 1) * DAY
        eras = self._eras[device]
        ends = [*(begin for begin, _ in eras[1:]), last]
        found = [(max(begin, first), min(end, last), link) for (begin, link), end in zip(eras, ends, strict=True)]
        return [part for part in found if part[0] < part[1]]

    def _draw_outages(self, device: int, day: int) -> tuple[tuple[int, int], ...]:
        found: list[tuple[int, int]] = []
        for begin, end, link in self._parts(device, day):
            share = link.offline_hours / _ALWAYS
            if share >= 1.0:
                found.append((begin, end))
            elif share > 0.0:
                rng = generator(self._seed, device, "outage", day)
                # So many overlapping outages leave exactly the rest of the time online (an M/G/infinity queue).
                count = int(rng.poisson(-math.log1p(-share) * _ALWAYS / link.outage_hours))
                starts = day * DAY + (rng.random(count) * DAY).astype(np.int64)
                lengths = np.minimum(rng.standard_exponential(count), _LONGEST) * link.outage_hours * HOUR
                lengths += rng.random(count) * link.reconnect_jitter_s * MICROS
                ends = np.minimum(starts + np.maximum(lengths.astype(np.int64), 1), self._end_of(device, begin))
                found += [
                    (int(one), int(other))
                    for one, other in zip(starts, ends, strict=True)
                    if begin <= one < end and one < other
                ]
        return tuple(sorted(found))

    def _end_of(self, device: int, at: int) -> int:
        """Until when the link in force at a time holds."""
        later = [begin for begin, _ in self._eras[device] if begin > at]
        return min(later, default=2**62)

    def _window(self, device: int, at: int) -> tuple[int, int] | None:
        """The outages around a time, as one window as far as they are known then; None while there is a connection."""
        if self.perfect(device):
            return None
        found: tuple[int, int] | None = None
        for begin, end in self._around(device, at // DAY):
            if begin <= at < end:
                found = (begin, end) if found is None else (min(found[0], begin), max(found[1], end))
        return found

    def _around(self, device: int, day: int) -> tuple[tuple[int, int], ...]:
        """The outages that touch a day and have begun by its end."""
        known = self._touching[device]
        if day not in known:
            if len(known) >= _KEPT_DAYS:
                known.clear()
            most = max(link.outage_hours for _, link in self._eras[device])
            first = day - math.ceil(_LONGEST * most / _ALWAYS) - 1
            drawn = (one for earlier in range(first, day + 1) for one in self.outages(device, earlier))
            known[day] = tuple(one for one in drawn if one[1] > day * DAY)
        return known[day]


def _perfect(link: Link) -> bool:
    return not (
        link.offline_hours
        or link.duplicates
        or link.reorder
        or link.loss
        or link.clock_offset_s
        or link.clock_drift_ppm
        or link.reboots
    )


def _normal(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal numbers from two uniform ones (Box and Muller), cut off."""
    raw = np.sqrt(-2.0 * np.log1p(-one)) * np.cos(2.0 * np.pi * other)
    return np.asarray(np.clip(raw, -_TAME, _TAME))


def _losses(draw: float, share: float) -> int:
    """How often a message is lost in a row: geometric."""
    if share <= 0.0:
        return 0
    if share >= 1.0:
        return _MOST_LOSSES
    return min(int(math.log(max(draw, 1e-300)) / math.log(share)), _MOST_LOSSES)
