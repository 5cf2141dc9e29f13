"""The embedded servers: rights, restart after a kill, identity."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from stack.embedded_nats import EmbeddedNats
from stack.embedded_postgres import EmbeddedPostgres
from telemetry.identity import DeviceKey

pytestmark = pytest.mark.stack


class Listener:
    """An MQTT client that keeps what it hears."""

    def __init__(self, url: str, topics: list[str]) -> None:
        self.heard: list[str] = []
        self.granted: list[bool] = []
        self._news = threading.Condition()
        self._ready = threading.Event()
        self._refused = threading.Event()
        parts = urlsplit(url)
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(parts.username or "", parts.password)
        self.client.on_message = self._on_message
        self.client.on_connect = lambda c, _u, _f, code, _p: (
            c.subscribe([(topic, 1) for topic in topics]) if not code.is_failure else self._refused.set()
        )
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self._on_subscribe(codes)
        self.client.connect(parts.hostname or "", parts.port or 0)
        self.client.loop_start()

    def _on_subscribe(self, codes: list[ReasonCode]) -> None:
        self.granted = [not code.is_failure for code in codes]
        self._ready.set()

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._news:
            self.heard.append(message.topic)
            self._news.notify_all()

    def ready(self) -> Listener:
        assert self._ready.wait(5)
        return self

    def refused(self) -> bool:
        return self._refused.wait(5)

    def wait(self, count: int) -> list[str]:
        with self._news:
            self._news.wait_for(lambda: len(self.heard) >= count, 5)
        return self.heard

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_devices_reach_their_own_topics_only(nats: EmbeddedNats) -> None:
    nats.add_devices([DeviceKey("demo", "a"), DeviceKey("demo", "b")])
    ingest = Listener(nats.mqtt_url("ingest"), ["wellkept/v1/+/+/telemetry"]).ready()
    device = Listener(nats.mqtt_url("demo.a"), ["wellkept/v1/demo/a/receipt", "wellkept/v1/demo/b/receipt"]).ready()
    gateway = Listener(nats.mqtt_url("gateway"), ["wellkept/v1/demo/+/receipt", "wellkept/v1/other/+/receipt"]).ready()
    try:
        assert device.granted == [True, False]
        device.client.publish("wellkept/v1/demo/b/telemetry", b"{}", qos=1)
        device.client.publish("wellkept/v1/demo/a/telemetry", b"{}", qos=1)
        ingest.client.publish("wellkept/v1/demo/a/receipt", b"{}")
        assert ingest.wait(1) == ["wellkept/v1/demo/a/telemetry"]
        assert device.wait(1) == ["wellkept/v1/demo/a/receipt"]
        assert gateway.granted == [True, False]
        assert gateway.wait(1) == ["wellkept/v1/demo/a/receipt"]
    finally:
        for client in (ingest, device, gateway):
            client.close()


def test_a_session_may_hold_several_subscriptions_with_acknowledgement(nats: EmbeddedNats) -> None:
    topics = [f"wellkept/v1/+/+/{channel}" for channel in ("telemetry", "event", "state", "response")]
    client = Listener(nats.mqtt_url("ingest"), topics).ready()
    try:
        assert client.granted == [True] * 4
    finally:
        client.close()


def test_a_wrong_password_is_refused(nats: EmbeddedNats) -> None:
    client = Listener(f"mqtt://ingest:wrong@127.0.0.1:{nats.ports.mqtt}", ["#"])
    try:
        assert client.refused()
    finally:
        client.close()


def test_nats_comes_back_after_a_kill_with_ports_and_passwords(nats: EmbeddedNats) -> None:
    before = nats.mqtt_url("ingest"), nats.nats_url("worker"), nats.name
    nats.kill()
    nats.start()
    assert (nats.mqtt_url("ingest"), nats.nats_url("worker"), nats.name) == before
    assert nats.healthy()


def test_an_orphaned_nats_is_ended_before_its_successor_starts(nats: EmbeddedNats) -> None:
    orphan = nats.pid
    successor = EmbeddedNats(nats.folder)
    successor.start()
    try:
        assert successor.pid != orphan
        assert nats.pid is None
        assert successor.name == nats.name
    finally:
        successor.stop()


def test_secrets_are_closed_to_others(nats: EmbeddedNats) -> None:
    for name in ("nats.conf", "users.conf", "server.json"):
        assert stat.S_IMODE((nats.folder / name).stat().st_mode) == 0o600


@pytest.fixture
def cluster(server_folder: Path, tmp_path: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(server_folder / f"cluster-{tmp_path.name}")


def test_postgres_keeps_data_over_kill_stale_pid_and_stop(cluster: EmbeddedPostgres) -> None:
    cluster.start()
    try:
        with psycopg.connect(cluster.url()) as conn:
            conn.execute("create table kept (n integer)")
            conn.execute("insert into kept values (42)")
        cluster.kill()
        assert (cluster.cluster / "postmaster.pid").exists()
        cluster.start()
        with psycopg.connect(cluster.url()) as conn:
            assert conn.execute("select n from kept").fetchall() == [(42,)]
            assert conn.execute("show fsync").fetchall() == [("on",)]
        cluster.stop()
        cluster.start()
        with psycopg.connect(cluster.url()) as conn:
            assert conn.execute("select n from kept").fetchall() == [(42,)]
    finally:
        cluster.remove()
    assert not cluster.cluster.exists()


def test_postgres_wants_the_password(postgres: EmbeddedPostgres) -> None:
    url = f"postgresql://wellkept:wrong@127.0.0.1:{postgres.port}/wellkept"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)


def test_a_fresh_database_is_migrated(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from device").fetchone() == (0,)
