"""Connections as TCP gives them, and datagrams: delays, cuts, drops, reordering, duplicates, all from one generator."""

from __future__ import annotations

import random
from typing import Any

from stack.world.scheduler import Action, Party, Scheduler

_USUAL = (300, 4_000)
_SPIKE = (20_000, 700_000)
_SPIKES = 0.01
_RESETS = 0.7


class Network:
    """What lies between parties.

    Args:
        time: the world's.
        rng: of all its draws.

    Attributes:
        slow: every delay is this many times as long.
        drop: share of datagrams that never arrive.
        twice: share of datagrams that arrive twice.
    """

    def __init__(self, time: Scheduler, rng: random.Random) -> None:
        self.time = time
        self._rng = rng
        self.slow = 1.0
        self.drop = 0.0
        self.twice = 0.0
        self.links: list[Link] = []
        self._cut: dict[str, int] = {}

    def delay(self) -> int:
        """How long one thing takes on its way, microseconds."""
        low, high = _SPIKE if self._rng.random() < _SPIKES else _USUAL
        return round(self._rng.randint(low, high) * self.slow)

    def notice(self) -> int:
        """How long until an end learns that its connection is gone: a reset at once, a silence by the keep-alive."""
        return self._rng.randint(1_000, 60_000) if self._rng.random() < _RESETS else self._rng.randint(0, 5_000_000)

    def is_cut(self, *ends: str) -> bool:
        """Whether one of the ends cannot be reached now."""
        return any(self._cut.get(end, 0) > 0 for end in ends)

    def cut(self, end: str) -> None:
        """Nothing passes to or from an end until it is mended as often as it was cut."""
        self._cut[end] = self._cut.get(end, 0) + 1
        self.reset(end)

    def reset(self, end: str) -> None:
        """End every connection of a party."""
        for link in [each for each in self.links if each.joins(end)]:
            link.cut()

    def mend(self, end: str) -> None:
        """Take one cut back."""
        self._cut[end] = max(0, self._cut.get(end, 0) - 1)

    def datagram(self, to: Party, action: Action, *args: Any) -> None:  # noqa: ANN401  (whatever the action takes)
        """Something that may be lost, doubled or overtaken."""
        if self._rng.random() < self.drop:
            return
        for _ in range(1 + (self._rng.random() < self.twice)):
            self.time.after(self.delay(), to.hear, action, *args)


class Link:
    """A connection between two parties: in order, late, and gone with all that is under way when it is cut.

    Args:
        network: that carries it.
        client: who opened it.
        server: to whom.
        client_lost: called at the client some time after the connection ended.
        server_lost: likewise at the server; the two may learn of it in either order.
    """

    def __init__(
        self, network: Network, client: Party, server: Party, client_lost: Action, server_lost: Action
    ) -> None:
        self.client, self.server = client, server
        self.up = True
        self._network = network
        self._lost = {client.name: client_lost, server.name: server_lost}
        self._life = {client.name: client.life, server.name: server.life}
        self._last = {client.name: 0, server.name: 0}
        network.links.append(self)

    def to_server(self, action: Action, *args: Any) -> None:  # noqa: ANN401  (whatever the action takes)
        """Carry something from the client."""
        self._carry(self.server, action, args)

    def to_client(self, action: Action, *args: Any) -> None:  # noqa: ANN401  (likewise)
        """Carry something from the server."""
        self._carry(self.client, action, args)

    def joins(self, end: str) -> bool:
        """Whether a party is one of the ends."""
        return end in self._life

    def cut(self) -> None:
        """What is under way is lost; either end learns of it by itself, later."""
        if not self.up:
            return
        self.up = False
        self._network.links.remove(self)
        for end in (self.client, self.server):
            delay = self._network.notice()
            self._network.time.after(delay, self._tell, end)

    def _tell(self, end: Party) -> None:
        if end.life == self._life[end.name]:
            end.hear(self._lost[end.name], self)

    def _carry(self, to: Party, action: Action, args: tuple[Any, ...]) -> None:
        if not self.up:
            return
        time = self._network.time
        at = max(self._last[to.name], time.now + self._network.delay())
        self._last[to.name] = at
        time.at(at, self._arrive, to, action, args)

    def _arrive(self, to: Party, action: Action, args: tuple[Any, ...]) -> None:
        if self.up and to.life == self._life[to.name]:
            to.hear(action, *args)
