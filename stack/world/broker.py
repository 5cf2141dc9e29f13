"""An MQTT broker in memory, as unpleasant as real ones are: windows, redelivery, packet ids that start again.

Kept sessions hold QoS 1 messages for a client that is away. A broker that is not durable loses them, and the sessions,
when it is killed; a durable one redelivers what was not acknowledged, under new packet ids.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from stack.world.network import Link, Network
from stack.world.scheduler import Party, Scheduler


class Client(Protocol):
    """What the broker calls at the other end of a connection."""

    def granted(self, link: Link) -> None:
        """The connection is accepted and the subscriptions stand."""
        ...

    def message(self, link: Link, mid: int, topic: str, payload: bytes) -> None:
        """A message; `mid` is 0 for QoS 0."""
        ...

    def puback(self, link: Link, mid: int) -> None:
        """The broker has taken a message of the client."""
        ...


@dataclass(slots=True)
class _Session:
    client: Client
    clean: bool
    filters: tuple[str, ...]
    link: Link | None = None
    queue: deque[tuple[str, bytes]] = field(default_factory=deque)
    flying: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    next_mid: int = 1


class Broker(Party):
    """The broker.

    Args:
        time: the world's.
        network: over which connections come.
        rng: of its whims.
        durable: whether sessions outlive a kill.
        window: QoS 1 messages in flight to one client.
        ack_wait: what a client does not acknowledge within this is sent again, microseconds; 0 for never.

    Attributes:
        forgets: share of acknowledged messages that it drops all the same.
        twice: share of messages that it delivers twice.
        shuffles: whether it delivers out of order.
    """

    def __init__(
        self, time: Scheduler, network: Network, rng: random.Random, *, durable: bool, window: int, ack_wait: int
    ) -> None:
        super().__init__(time, "broker")
        self._network, self._rng = network, rng
        self._durable, self._window, self._ack_wait = durable, window, ack_wait
        self.forgets = 0.0
        self.twice = 0.0
        self.shuffles = False
        self._sessions: dict[str, _Session] = {}
        self._retained: dict[str, bytes] = {}

    def begin(self) -> None:
        """Start, with what the disk holds."""
        super().begin()
        for session in self._sessions.values():
            session.link = None
            self._take_back(session)

    def kill(self) -> None:
        """End; connections break."""
        super().kill()
        self._network.reset(self.name)
        if not self._durable:
            self.wipe()

    def wipe(self) -> None:
        """Lose the store: sessions, queued and retained messages."""
        self._sessions.clear()
        self._retained.clear()

    def connect(self, link: Link, name: str, client: Client, filters: tuple[str, ...], *, clean: bool) -> None:
        """A client asks to be let in, with its subscriptions. An older connection of the same name is ended."""
        session = self._sessions.get(name)
        if session is not None and session.link is not None:
            session.link.cut()
        if session is None or clean:
            session = self._sessions[name] = _Session(client, clean, filters)
        session.client, session.filters = client, filters
        self._take_back(session)
        session.link, session.next_mid = link, 1
        link.to_client(client.granted, link)
        for topic, payload in self._retained.items():
            if _matches(filters, topic):
                link.to_client(client.message, link, 0, topic, payload)
        self._feed(session)

    def publish(self, link: Link, topic: str, payload: bytes, mid: int, *, retain: bool = False) -> None:
        """A client publishes; `mid` 0 is QoS 0 and goes to whoever is connected now."""
        if retain:
            self._retained[topic] = payload
        if not (mid and self._rng.random() < self.forgets):
            for session in self._sessions.values():
                if _matches(session.filters, topic):
                    self._route(session, topic, payload, keep=mid > 0)
        if mid:
            client = next((each.client for each in self._sessions.values() if each.link is link), None)
            if client is not None:
                link.to_client(client.puback, link, mid)

    def ack(self, link: Link, mid: int) -> tuple[str, bytes] | None:
        """A client acknowledges. Returns what is thereby off the broker's hands."""
        for session in self._sessions.values():
            if session.link is link:
                done = session.flying.pop(mid, None)
                self._feed(session)
                return done
        return None

    def waiting(self, name: str) -> int:
        """Messages that a client has not acknowledged."""
        session = self._sessions.get(name)
        return 0 if session is None else len(session.queue) + len(session.flying)

    def lost(self, link: Link) -> None:
        """A connection is gone."""
        for name, session in list(self._sessions.items()):
            if session.link is link:
                session.link = None
                if session.clean:
                    del self._sessions[name]
                else:
                    self._take_back(session)

    def _take_back(self, session: _Session) -> None:
        """What was in flight is first to be delivered again."""
        session.queue.extendleft(reversed(session.flying.values()))
        session.flying.clear()

    def _route(self, session: _Session, topic: str, payload: bytes, *, keep: bool) -> None:
        if keep:
            if session.link is not None or not session.clean:
                for _ in range(1 + (self._rng.random() < self.twice)):
                    session.queue.append((topic, payload))
                self._feed(session)
        elif session.link is not None and self._rng.random() >= self._network.drop:
            session.link.to_client(session.client.message, session.link, 0, topic, payload)

    def _feed(self, session: _Session) -> None:
        link = session.link
        if link is None:
            return
        while session.queue and len(session.flying) < self._window:
            if self.shuffles:
                session.queue.rotate(-self._rng.randrange(len(session.queue)))
            topic, payload = session.queue.popleft()
            mid = session.next_mid
            session.next_mid += 1
            session.flying[mid] = topic, payload
            link.to_client(session.client.message, link, mid, topic, payload)
            if self._ack_wait:
                self.later(self._ack_wait, self._again, session, link, mid)

    def _again(self, session: _Session, link: Link, mid: int) -> None:
        """Send once more, under the same packet id, what was not acknowledged."""
        if session.link is link and mid in session.flying:
            topic, payload = session.flying[mid]
            self.time.trace(self.name, "delivers again", mid, topic)
            link.to_client(session.client.message, link, mid, topic, payload)
            self.later(self._ack_wait, self._again, session, link, mid)


@lru_cache(maxsize=4096)
def _matches(filters: tuple[str, ...], topic: str) -> bool:
    """Whether one of the filters, which may have `+` for a level, takes the topic."""
    levels = topic.split("/")
    return any(
        len(parts) == len(levels) and all(part in ("+", level) for part, level in zip(parts, levels, strict=True))
        for parts in (each.split("/") for each in filters)
    )
