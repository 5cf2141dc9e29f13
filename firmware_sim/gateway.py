"""The core of a gateway: many devices on one connection and their spool. No thread, no socket, no clock.

Inputs are messages that were spooled, receipts, the connection's coming and going, and the time; the effects are
returned: messages to publish now, and messages that the spool may forget. Times are wall microseconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from firmware_sim.device import DeviceCore
from firmware_sim.spool import Spool, Spooled
from telemetry.identity import DeviceKey, parse_key
from telemetry.message import Receipt

_GROUP = 50_000
"""Deletes are gathered for this long, microseconds."""


class GatewayCore:
    """The cores of a gateway's devices, bound to their spool.

    Args:
        keys: `org/device` of each.
        spool: holds their messages; what it held before is due at the next connection.
        now: wall time.
    """

    def __init__(self, keys: Sequence[str], spool: Spool, now: int) -> None:
        self._spool = spool
        self.devices: dict[str, DeviceKey] = {key: parse_key(key) for key in keys}
        self.cores: dict[str, DeviceCore] = {}
        spool.know(keys)
        for key in keys:
            slot = spool.slot(key)
            self.cores[key] = DeviceCore(slot.epoch, dict.fromkeys(slot.held, now))
        self._order = {key: number for number, key in enumerate(keys)}
        # When each device is due, so that a step looks at those alone whose time has come.
        self._calendar: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}
        self._echoes: list[tuple[int, int, Spooled]] = []
        self._echoed = 0
        self._fresh: dict[tuple[str, int], Spooled] = {}
        self._gone: dict[str, list[int]] = {}
        self._flush_at: int | None = None

    def offer(self, messages: Sequence[Spooled], now: int, *, late: bool = False) -> None:
        """Take messages that are in the spool; `late` ones go out once they are let through."""
        for message in messages:
            self._fresh[message.device, message.seq] = message
            core = self.cores[message.device]
            core.produced(message.seq, now, late=late)
            # What a full spool dropped to make room is not waited for any more.
            base = self._spool.slot(message.device).base
            while (oldest := next(iter(core.pending))) < base:
                core.forget(oldest)
                self._fresh.pop((message.device, oldest), None)
            self._enter(message.device)

    def let(self, messages: Sequence[tuple[Spooled, bool]], now: int) -> None:
        """The network lets late messages through, in this order; True marks a second copy, which nobody waits for."""
        for number, (message, copy) in enumerate(messages):
            if copy:
                self._echoed += 1
                heapq.heappush(self._echoes, (now + number, self._echoed, message))
            else:
                self.cores[message.device].let(message.seq, now + number)
                self._enter(message.device)

    def connected(self, now: int, jitter: Callable[[], float], keys: Iterable[str] | None = None) -> None:
        """The connection of some devices (all by default) is up; `jitter` draws 0 to 1 for each.

        See `DeviceCore.connected`.
        """
        for key in self.cores if keys is None else keys:
            self.cores[key].connected(now, jitter())
            self._enter(key)

    def disconnected(self, keys: Iterable[str] | None = None) -> None:
        """The connection of some devices (all by default) is gone."""
        for key in self.cores if keys is None else keys:
            self.cores[key].disconnected()

    def hold(self, key: str) -> None:
        """The network keeps a device's messages back."""
        self.cores[key].hold()

    def release(self, key: str, now: int, jitter: float) -> None:
        """The network lets a device speak again."""
        self.cores[key].release(now, jitter)
        self._enter(key)

    def renew(self, key: str, now: int) -> None:
        """The spool lost what it held of a device: its core begins anew, in the spool's new epoch."""
        old, new = self.cores[key], DeviceCore(self._spool.slot(key).epoch)
        self.cores[key], new.held, new.resent = new, old.held, old.resent
        self._fresh = {place: message for place, message in self._fresh.items() if place[0] != key}
        self._gone.pop(key, None)
        if old.online:
            new.connected(now, 0.0)

    def receipt(self, device: str, receipt: Receipt, now: int) -> bool:
        """Take a receipt for `org/device`. Returns whether it allows to forget anything; `flush` then does."""
        gone = self.cores[device].receipt(receipt, now)
        self._enter(device)
        if not gone:
            return False
        self._gone.setdefault(device, []).extend(gone)
        for seq in gone:
            self._fresh.pop((device, seq), None)
        if self._flush_at is None:
            self._flush_at = now + _GROUP
        return True

    def step(self, now: int, room: int) -> list[Spooled]:
        """Messages to publish now, at most `room`."""
        found = self._copies(now, room)
        ready: list[str] = []
        while (at := self._next_entry()) is not None and at <= now:
            key = heapq.heappop(self._calendar)[1]
            del self._due[key]
            ready.append(key)
        for key in sorted(ready, key=self._order.__getitem__):
            core = self.cores[key]
            for seq in core.step(now, room - len(found)) if len(found) < room else ():
                message = self._fresh.pop((key, seq), None) or self._spool.read(key, seq)
                if message is None:
                    # A full spool dropped it meanwhile.
                    core.forget(seq)
                else:
                    found.append(message)
            self._enter(key)
        return found

    def next_due(self) -> int | None:
        """When `step` has something to publish, or None."""
        moments = [self._next_entry(), self._echoes[0][0] if self._echoes else None]
        return min((at for at in moments if at is not None), default=None)

    def _copies(self, now: int, room: int) -> list[Spooled]:
        """Copies that the network delivers late; none of a device that has no connection."""
        found: list[Spooled] = []
        while self._echoes and self._echoes[0][0] <= now and len(found) < room:
            message = heapq.heappop(self._echoes)[2]
            if self.cores[message.device].speaks:
                found.append(message)
        return found

    def _enter(self, key: str) -> None:
        """Note when a device is due, unless that is known."""
        at = self.cores[key].next_due()
        if at is None:
            self._due.pop(key, None)
        elif self._due.get(key) != at:
            self._due[key] = at
            heapq.heappush(self._calendar, (at, key))

    def _next_entry(self) -> int | None:
        """The first entry of the calendar that still holds."""
        while self._calendar:
            at, key = self._calendar[0]
            known = self._due.get(key) == at
            if known and self.cores[key].next_due() == at:
                return at
            heapq.heappop(self._calendar)
            if known:
                # The device was disconnected, or got a receipt, since.
                del self._due[key]
                self._enter(key)
        return None

    @property
    def flush_at(self) -> int | None:
        """When `flush` has something to do, or None."""
        return self._flush_at

    def flush(self) -> list[tuple[str, list[int]]]:
        """What receipts allowed to forget since the last flush, for `Spool.delete`."""
        gone, self._gone, self._flush_at = self._gone, {}, None
        return list(gone.items())

    def unreceipted(self) -> int:
        """Messages without a receipt."""
        return sum(len(core.pending) for core in self.cores.values())

    def held(self) -> int:
        """Of these, messages that the network keeps back."""
        return sum(len(core.pending) if core.held else len(core.late) for core in self.cores.values())

    def resent(self) -> int:
        """Messages published again."""
        return sum(core.resent for core in self.cores.values())

    def oldest(self) -> int | None:
        """When the oldest unreceipted message was spooled, or None."""
        return min((at for core in self.cores.values() if (at := core.oldest()) is not None), default=None)
