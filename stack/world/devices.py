"""A process of devices in the world: binds the gateway's core and spool to the broker, as paho's shell does."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence

from firmware_sim.firmware import Body
from firmware_sim.gateway import GatewayCore
from firmware_sim.spool import OPEN, Spool
from stack.world.broker import Broker
from stack.world.invariants import Auditor
from stack.world.network import Link, Network
from stack.world.scheduler import Party, Scheduler
from telemetry.clock import MICROS
from telemetry.identity import DeviceKey, parse_key
from telemetry.message import decode_receipt
from telemetry.topics import Channel, parse_topic, topic_of

_RETRY = (200_000, 2 * MICROS)
_ANSWER = 5 * MICROS


class Gateway(Party):
    """Devices on one connection with one spool.

    Args:
        time: the world's.
        network: to the broker.
        broker: whose.
        auditor: told what is numbered, dropped and deleted.
        rng: of jitter.
        name: of the process, and of its session.
        keys: its devices.
        limit: bytes a device may hold in the spool.
        window: messages published and not yet acknowledged.
    """

    core_type: type[GatewayCore] = GatewayCore

    def __init__(
        self,
        time: Scheduler,
        network: Network,
        broker: Broker,
        auditor: Auditor,
        rng: random.Random,
        *,
        name: str,
        keys: Sequence[DeviceKey],
        limit: int,
        window: int,
    ) -> None:
        super().__init__(time, name)
        self._network, self._broker, self._auditor, self._rng = network, broker, auditor, rng
        self._keys = list(keys)
        self._limit, self._window = limit, window
        self._disk = sqlite3.connect(":memory:", **OPEN)
        self._filters = tuple(sorted({topic_of(DeviceKey(key.org, "+"), Channel.RECEIPT) for key in keys}))

    def begin(self) -> None:
        """Start with what the spool holds."""
        super().begin()
        self._spool = Spool(self._disk, lambda: self.time.now, self._limit)
        self.core = self.core_type([str(key) for key in self._keys], self._spool, self.time.now)
        self._link: Link | None = None
        self._up = False
        self._open = 0
        self._mid = 0
        self._planned: int | None = None
        self._retry = _RETRY[0]
        self.later(self._network.delay(), self._connect)

    def kill(self) -> None:
        """End at once; the spool stays."""
        super().kill()
        self._network.reset(self.name)

    def wipe(self) -> None:
        """Lose the spool; the process must not run."""
        self._disk = sqlite3.connect(":memory:", **OPEN)

    @property
    def connected(self) -> bool:
        """Whether the broker has let it in."""
        return self.alive and self._up

    def produce(self, key: DeviceKey, body: Body) -> None:
        """A device has something to say: into the spool first."""
        slot = self._spool.slot(str(key))
        before, dropped = list(slot.held), slot.dropped
        taken = self._spool.append([(str(key), body)])
        for message in taken:
            self._auditor.numbered(key, message.epoch, message.seq, body)
        if slot.dropped != dropped:
            gone = [seq for seq in before if seq not in slot.held]
            self._auditor.dropped(key, slot.epoch, gone)
            self.time.trace(self.name, "drops", key.device, gone)
        self.core.offer(taken, self.time.now)
        self._step()

    def say_raw(self, key: DeviceKey, payload: bytes) -> None:
        """Publish bytes that no spool knows, when there is a connection."""
        if self.connected and self._link is not None:
            self._open += 1
            self._mid += 1
            topic = topic_of(key, Channel.TELEMETRY)
            self._link.to_server(self._broker.publish, self._link, topic, payload, self._mid)

    # What the broker calls

    def granted(self, link: Link) -> None:
        """See `broker.Client`."""
        if link is self._link:
            self._up = True
            self._retry = _RETRY[0]
            self.time.trace(self.name, "is connected", "unreceipted", self.core.unreceipted())
            self.core.connected(self.time.now, self._rng.random)
            self._step()

    def message(self, link: Link, mid: int, topic: str, payload: bytes) -> None:
        """See `broker.Client`; receipts are what it listens to."""
        key, channel = parse_topic(topic)
        if link is not self._link or mid or channel is not Channel.RECEIPT or str(key) not in self.core.devices:
            return
        receipt = decode_receipt(payload)
        self.time.trace(self.name, "hears", key.device, receipt.epoch, receipt.upto, receipt.beyond)
        self.core.receipt(str(key), receipt, self.time.now)
        self._step()

    def puback(self, link: Link, mid: int) -> None:
        """See `broker.Client`: no receipt, only room."""
        if link is self._link and mid:
            self._open -= 1
            if self._open == self._window - 1:
                self._step()

    # The way there and back

    def _connect(self) -> None:
        if self._link is not None:
            return
        if self._network.is_cut(self.name, self._broker.name) or not self._broker.alive:
            self._give_up()
            return
        link = Link(self._network, self, self._broker, self._lost, self._broker.lost)
        self._link, self._up, self._open = link, False, 0
        link.to_server(lambda: self._broker.connect(link, self.name, self, self._filters, clean=True))
        self.later(_ANSWER, self._watch, link)

    def _watch(self, link: Link) -> None:
        if link is self._link and not self._up:
            self._lost(link)

    def _lost(self, link: Link) -> None:
        if link is self._link:
            self.time.trace(self.name, "is offline")
            link.cut()
            self._link, self._up = None, False
            self.core.disconnected()
            self._give_up()

    def _give_up(self) -> None:
        self.later(round(self._retry * (0.5 + 0.5 * self._rng.random())), self._connect)
        self._retry = min(2 * self._retry, _RETRY[1])

    def _step(self) -> None:
        """Publish what is due, forget what may be forgotten, and plan the next time."""
        now, link = self.time.now, self._link
        if link is not None and self._up:
            for message in self.core.step(now, self._window - self._open):
                self._open += 1
                self._mid += 1
                key = self.core.devices[message.device]
                self.time.trace(self.name, "publishes", key.device, message.epoch, message.seq)
                topic = topic_of(key, message.channel)
                link.to_server(self._broker.publish, link, topic, message.payload, self._mid)
        if self.core.flush_at is not None and self.core.flush_at <= now:
            gone = self.core.flush()
            for device, seqs in gone:
                slot = self._spool.slot(device)
                self._auditor.deleted(parse_key(device), slot.epoch, [seq for seq in seqs if seq in slot.held])
            self._spool.delete(gone)
        self._plan()

    def _plan(self) -> None:
        moments = [] if self.core.flush_at is None else [self.core.flush_at]
        if self._up and self._open < self._window and (due := self.core.next_due()) is not None:
            moments.append(due)
        if moments and (self._planned is None or min(moments) < self._planned):
            self._planned = min(moments)
            self.later_at(self._planned, self._on_time, self._planned)

    def _on_time(self, planned: int) -> None:
        if planned == self._planned:
            self._planned = None
            self._step()
