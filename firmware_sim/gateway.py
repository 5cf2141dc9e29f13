"""The core of a gateway: many devices on one connection and their spool. No thread, no socket, no clock.

Inputs are messages that were spooled, receipts, the connection's coming and going, and the time; the effects are
returned: messages to publish now, and messages that the spool may forget. Times are wall microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
        for key in keys:
            slot = spool.slot(key)
            self.cores[key] = DeviceCore(slot.epoch, dict.fromkeys(slot.held, now))
        self._fresh: dict[tuple[str, int], Spooled] = {}
        self._gone: dict[str, list[int]] = {}
        self._flush_at: int | None = None

    def offer(self, messages: Sequence[Spooled], now: int) -> None:
        """Take messages that are in the spool."""
        for message in messages:
            self._fresh[message.device, message.seq] = message
            core = self.cores[message.device]
            core.produced(message.seq, now)
            # What a full spool dropped to make room is not waited for any more.
            base = self._spool.slot(message.device).base
            while (oldest := next(iter(core.pending))) < base:
                core.forget(oldest)
                self._fresh.pop((message.device, oldest), None)

    def connected(self, now: int, jitter: Callable[[], float]) -> None:
        """The connection is up; `jitter` draws 0 to 1 for each device, see `DeviceCore.connected`."""
        for core in self.cores.values():
            core.connected(now, jitter())

    def disconnected(self) -> None:
        """The connection is gone."""
        for core in self.cores.values():
            core.disconnected()

    def receipt(self, device: str, receipt: Receipt, now: int) -> bool:
        """Take a receipt for `org/device`. Returns whether it allows to forget anything; `flush` then does."""
        gone = self.cores[device].receipt(receipt, now)
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
        found: list[Spooled] = []
        for key, core in self.cores.items():
            due = core.next_due()
            if due is None or due > now:
                continue
            if len(found) >= room:
                break
            for seq in core.step(now, room - len(found)):
                message = self._fresh.pop((key, seq), None) or self._spool.read(key, seq)
                if message is None:
                    # A full spool dropped it meanwhile.
                    core.forget(seq)
                else:
                    found.append(message)
        return found

    def next_due(self) -> int | None:
        """When `step` has something to publish, or None."""
        return min((at for core in self.cores.values() if (at := core.next_due()) is not None), default=None)

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

    def resent(self) -> int:
        """Messages published again."""
        return sum(core.resent for core in self.cores.values())

    def oldest(self) -> int | None:
        """When the oldest unreceipted message was spooled, or None."""
        return min((at for core in self.cores.values() if (at := core.oldest()) is not None), default=None)
