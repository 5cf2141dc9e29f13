"""The feed on the stream's server: complete over a publisher that is killed, and heard by its own organisation only."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import nats as client
import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig, DeliverPolicy

from stack.embedded_nats import EmbeddedNats
from storage.api_events import begin_anew, standing
from storage.pool import Connection, connect
from storage.registry import register_device
from stream.nats_client import NatsStream
from stream.nats_events import NatsEvents
from stream.port import EVENTS, Event, StreamError
from telemetry.identity import DeviceKey
from worker.relay import Relay

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
_PATIENCE_S = 15.0


class Dying(NatsEvents):
    """Tells, and is killed before it can say that it has."""

    def tell(self, events: Sequence[Event]) -> None:
        super().tell(events)
        raise SystemExit


def commit_changes(conn: Connection, count: int, org: str = "demo") -> None:
    for _ in range(count):
        conn.execute(
            "insert into api_event (kind, subject, what, state, org, device)"
            " values ('ticket', 's', 'changed', 'x', %s, 1)",
            (org,),
        )
    conn.commit()


class Listener:
    """Another system: hears what it may, on a thread of its own."""

    def __init__(self, url: str, *subjects: str) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.errors: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client: Client = self.run(self._connect, url, subjects)

    def run(self, work: Callable[..., Awaitable[Any]], *arguments: object) -> Any:  # noqa: ANN401  (of the work)
        async def begun() -> object:
            return await work(*arguments)

        return asyncio.run_coroutine_threadsafe(begun(), self._loop).result(_PATIENCE_S)

    async def _connect(self, url: str, subjects: tuple[str, ...]) -> Client:
        async def hear(message: Any) -> None:  # noqa: ANN401  (the library's)
            self.heard.append((message.subject, json.loads(message.data)))

        async def failed(error: Exception) -> None:
            self.errors.append(str(error))

        made = await client.connect(url, error_cb=failed)
        for subject in subjects:
            await made.subscribe(subject, cb=hear)
        await made.flush()
        return made

    async def read_stream(self) -> list[int]:
        """What the stream holds, from its first message."""
        context = self._client.jetstream()
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
        pulled = await context.pull_subscribe("wk.events.demo.>", stream=EVENTS, config=config)
        info = await context.stream_info(EVENTS)
        messages = await pulled.fetch(info.state.messages, timeout=5)
        return [json.loads(each.data)["data"]["no"] for each in messages]

    async def publish(self, subject: str) -> None:
        await self._client.publish(subject, b"x")
        await self._client.flush()

    def until(self, count: int) -> None:
        deadline = threading.Event()
        for _ in range(int(_PATIENCE_S / 0.02)):
            if len(self.heard) >= count:
                return
            deadline.wait(0.02)
        raise AssertionError(f"heard {len(self.heard)} of {count}")

    def close(self) -> None:
        self.run(self._client.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.mark.stack
def test_a_consumer_misses_nothing_when_the_publisher_is_killed(nats: EmbeddedNats, database_url: str) -> None:
    stranger_url, own_url = nats.add_listener("elsewhere"), nats.add_listener("demo")
    stream = NatsStream(nats.nats_url(), name="relay", partitions=4)
    with connect(database_url, application="test") as conn:
        register_device(conn, DeviceKey("demo", "a"), "refrigerator", registered=NOW)
        conn.commit()
        own, stranger = Listener(own_url, "wk.events.demo.>"), Listener(stranger_url, "wk.events.elsewhere.>", ">")
        inside = Listener(nats.nats_url())
        try:
            commit_changes(conn, 3)
            with pytest.raises(SystemExit):
                Relay(Dying(stream), database_url, lambda: NOW).step(conn)
            commit_changes(conn, 2)
            relay = Relay(NatsEvents(stream), database_url, lambda: NOW)
            assert not relay.step(conn)
            commit_changes(conn, 1, "elsewhere")
            relay.step(conn)
            conn.commit()
            newest = standing(conn).newest
            own.until(8)
            numbers = [told["data"]["no"] for _, told in own.heard]
            wanted = list(range(newest - 5, newest))
            assert numbers == [*wanted[:3], *wanted]  # told again after the kill, with the same ids
            assert len({told["id"] for _, told in own.heard}) == 5
            assert {subject for subject, _ in own.heard} == {"wk.events.demo.ticket"}
            assert own.heard[0][1]["type"] == "wellkept.ticket.changed"
            assert inside.run(inside.read_stream) == wanted  # the stream itself drops the repeats
            stranger.until(1)
            assert [told["data"]["no"] for _, told in stranger.heard] == [newest]
            assert any("permissions violation" in each for each in stranger.errors)
            stranger.run(stranger.publish, "wk.events.demo.ticket")
            stranger.run(stranger.publish, "wk.block.0")
            begin_anew(conn, NOW)  # a restored database: what came before may be lost
            conn.commit()
            relay.step(conn)
            own.until(9)
            assert own.heard[-1][1]["type"] == "wellkept.feed.reset"
            assert len(own.heard) == 9
        finally:
            for each in (own, stranger, inside):
                each.close()
            stream.close()


@pytest.mark.long
@pytest.mark.stack
def test_a_server_that_does_not_answer_moves_nothing(nats: EmbeddedNats, database_url: str) -> None:
    stream = NatsStream(nats.nats_url(), name="relay", partitions=4)
    with connect(database_url, application="test") as conn:
        relay = Relay(NatsEvents(stream), database_url, lambda: NOW)
        commit_changes(conn, 1)
        nats.kill()
        with pytest.raises(StreamError):
            relay.step(conn)
        nats.start()
        told = Listener(nats.nats_url(), "wk.events.demo.>")
        try:
            for _ in range(20):
                try:
                    relay.step(conn)
                    break
                except StreamError:
                    continue
            told.until(1)
        finally:
            told.close()
            stream.close()
