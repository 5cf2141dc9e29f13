"""How the messages of a running fleet reach the broker: spool, connections, and the network model between them.

The model speaks fleet time. What it makes late waits here until the fleet has reached its time, whatever the clock's
speed; its outages become connections that are cut, or messages that a gateway keeps back.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import structlog

from firmware_sim.chance import generator
from firmware_sim.comms import UPDATED
from firmware_sim.firmware import Body
from firmware_sim.fleet import Fleet
from firmware_sim.mqtt import Counts, Gateway, OnCommand
from firmware_sim.network import Network
from firmware_sim.spool import DEFAULT_LIMIT, OversizeError, Spool, Spooled
from firmware_sim.wear import DAY
from firmware_sim.where import words
from telemetry.clock import MICROS, FleetClock, WallClock

T = TypeVar("T")
Connections = int | Literal["gateway", "each"]
"""How many gateways share the devices (`gateway` is one of them), or one connection for each device."""
_log = structlog.get_logger(__name__)


class Uplink:
    """Spool and connections of a fleet.

    Args:
        fleet: theirs; read under the runner's lock.
        folder: keeps the spool.
        url: of the broker.
        wall: wall clock.
        connections: see `Connections`.
        limit: bytes that one device's spool may hold.
        on_clock: called with every fleet clock heard.
        on_command: called with every command.
        url_of: a device's own address, when each has a connection.
    """

    def __init__(
        self,
        fleet: Fleet,
        folder: Path,
        url: str,
        wall: WallClock,
        *,
        connections: Connections = 1,
        limit: int = DEFAULT_LIMIT,
        on_clock: Callable[[FleetClock], None],
        on_command: OnCommand,
        url_of: Callable[[str], str] | None = None,
    ) -> None:
        self._fleet, self._wall = fleet, wall
        self.spool = Spool(folder / "spool.sqlite", wall, limit)
        self._keys = {one.index: one.key for one in fleet.devices}
        self._indices = {key: index for index, key in self._keys.items()}
        keys = list(self._indices)
        count = 1 if isinstance(connections, str) else connections
        self.gateways = [
            Gateway(
                url,
                keys[number::count],
                self.spool,
                wall,
                rng=generator(fleet.seed, -1, "gateway", number),
                client_id=f"wellkept-sim-{fleet.scenario.id}-{number}-{wall() // MICROS:x}",
                on_clock=on_clock if number == 0 else None,
                on_command=on_command,
                each=connections == "each",
                url_of=url_of,
                fw=self._fw,
                kept=lambda key: self._fw(key) in words(fleet.scenario.network.kept_sessions),
            )
            for number in range(count)
        ]
        self._of = {key: self.gateways[i % count] for i, key in enumerate(keys)}
        self._versions = {key: fleet.comms.fw(index, fleet.now) for key, index in self._indices.items()}
        self._held: set[int] = set()
        self._turns: list[tuple[int, int]] = []
        self._air: list[tuple[int, int, Spooled, bool]] = []
        self._sent = 0
        self._flaky = False
        self.messages = self.refused = 0
        self.relink()

    def start(self) -> None:
        """Begin to connect."""
        for gateway in self.gateways:
            gateway.start()

    def stop(self) -> None:
        """Disconnect; what has no receipt stays in the spool."""
        for gateway in self.gateways:
            gateway.stop()
        self.spool.close()

    def send(self, bodies: Sequence[Body]) -> None:
        """Spool messages, complete by the fleet's present time, and let go what the network lets through by then."""
        try:
            spooled = self.spool.append([(self._keys[body.device], body) for body in bodies])
        except OversizeError as cause:
            self.refused += 1
            _log.error("refused", why=str(cause))
            spooled = []
        self.messages += len(spooled)
        self._follow(self._fleet.now)
        for gateway in self.gateways:
            gateway.offer(self._own(gateway, spooled, lambda one: one.device), late=self._flaky)
        if self._flaky:
            self._delay(spooled)
            self._let()
        for body in bodies:
            if any(code.startswith(UPDATED) for code in body.events):
                self._versions[self._keys[body.device]] = body.fw
                self._of[self._keys[body.device]].announce(self._keys[body.device])

    def relink(self) -> None:
        """The links are others from the next moment on: look at each of them again."""
        now, network = self._fleet.now + 1, self._network
        self._flaky = any(not network.perfect(index) for index in self._keys)
        self._turns = [(now, index) for index in self._keys if not network.perfect(index)]
        heapq.heapify(self._turns)
        for index in [index for index in self._held if network.perfect(index)]:
            self._turn(index, dark=False)
        self._follow(now)

    def lose_spool(self, key: str) -> None:
        """A device loses what its spool holds."""
        self.spool.lose(key)
        self._of[key].renew(key)

    def respond(self, key: str, payload: bytes) -> None:
        """Publish an answer to a command."""
        self._of[key].respond(key, payload)

    def counts(self) -> list[Counts]:
        """Of each gateway."""
        return [gateway.counts() for gateway in self.gateways]

    def dropped(self) -> int:
        """Messages lost to full spools."""
        return sum(self.spool.slot(key).dropped for key in self._indices)

    def offline(self) -> int:
        """How many devices the network keeps back."""
        return len(self._held)

    @property
    def _network(self) -> Network:
        return self._fleet.comms.network

    def _fw(self, key: str) -> str:
        return self._versions[key]

    def _follow(self, now: int) -> None:
        """Cut and restore connections as the network has it at a fleet time."""
        network = self._network
        while self._turns and self._turns[0][0] <= now:
            index = heapq.heappop(self._turns)[1]
            self._turn(index, dark=network.offline(index, now))
            heapq.heappush(self._turns, (network.next_turn(index, now, now + DAY), index))

    def _turn(self, index: int, *, dark: bool) -> None:
        key = self._keys[index]
        if dark and index not in self._held:
            self._held.add(index)
            self._of[key].hold(key)
        elif not dark and index in self._held:
            self._held.discard(index)
            self._of[key].release(key)

    def _delay(self, messages: Sequence[Spooled]) -> None:
        """Note when each message, and a second copy of it, is let through."""
        for message in messages:
            for number, delay in enumerate(
                self._network.delays(self._indices[message.device], message.seq, message.done)
            ):
                self._sent += 1
                heapq.heappush(self._air, (message.done + delay, self._sent, message, number > 0))

    def _let(self) -> None:
        """Let through what has its time, in the order of arrival."""
        arrived: list[tuple[Spooled, bool]] = []
        while self._air and self._air[0][0] <= self._fleet.now:
            _, _, message, copy = heapq.heappop(self._air)
            arrived.append((message, copy))
        for gateway in self.gateways:
            gateway.let(self._own(gateway, arrived, lambda one: one[0].device))

    def _own(self, gateway: Gateway, some: list[T], key: Callable[[T], str]) -> list[T]:
        """What goes over a gateway."""
        return some if len(self.gateways) == 1 else [one for one in some if self._of[key(one)] is gateway]
