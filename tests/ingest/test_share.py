"""Several ingest processes behind a shared subscription: on a broker that shares, and refused on one that does not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ingest.mqtt import MqttIngress
from ingest.share import PATIENCE, SharedSubscriptionError, ShareProof, filters
from ingest.wire import Delivery
from stack.embedded_nats import EmbeddedNats
from stack.errors import StackError
from stack.process import free_port, wait_until
from stack.settings import Settings
from stack.supervisor import Supervisor
from stream.nats_client import NatsStream
from stream.port import Position
from telemetry.block import decode_block
from telemetry.clock import production_clock
from tests.ingest.publisher import publish

MESSAGES = 2_000


def test_members_of_a_group_subscribe_to_the_same_share() -> None:
    plain = [f"wellkept/v1/+/+/{channel}" for channel in ("telemetry", "event", "response")]
    assert filters("a") == [f"$share/a/{each}" for each in plain]
    assert filters("") == plain


def test_the_proof_is_told_apart_and_does_not_wait_for_ever() -> None:
    proof = ShareProof("a", "host:1883")
    proof.check(1e9)
    proof.sent(10.0)
    proof.check(10.0 + PATIENCE - 0.01)
    with pytest.raises(SharedSubscriptionError, match=r"host:1883 granted a shared subscription and delivers nothing"):
        proof.check(10.0 + PATIENCE)
    other: Delivery = (b"wellkept/v1/demo/a/telemetry", b"{}", 1)
    own: Delivery = (proof.topic.encode(), b"", 2)
    assert proof.take([other, own]) == ([other], [own])
    assert proof.given
    proof.check(1e9)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("user", "reason"),
    [("ingest", "refused a shared subscription"), ("worker", "granted a shared subscription and delivers nothing")],
)
def test_the_embedded_broker_is_refused_whether_its_rights_or_its_silence_say_so(
    tmp_path: Path, user: str, reason: str
) -> None:
    nats = EmbeddedNats(tmp_path)
    nats.start()
    heard: list[Delivery] = []
    try:
        ingress = MqttIngress(nats.mqtt_url(user), "a", "group", lambda: 1, lambda _c, m: heard.extend(m))
        ingress.start()
        refused = threading.Event()
        until = time.monotonic() + PATIENCE + 10
        try:
            while time.monotonic() < until:
                ingress.connected()
                refused.wait(0.05)
        except SharedSubscriptionError as error:
            assert reason in str(error)  # noqa: PT017  (the loop ends by it, or by time)
            refused.set()
        finally:
            ingress.stop()
        assert refused.is_set()
        assert not heard
    finally:
        nats.stop()


def test_the_supervisor_does_not_start_several_on_the_embedded_broker(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="3 ingest processes need a broker with shared subscriptions"):
        Supervisor(Settings(data_dir=tmp_path, ingests=3), lambda _line: None)


@contextmanager
def mosquitto(folder: Path) -> Iterator[str]:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("no mosquitto on this machine: apt-get install mosquitto runs the test on a broker that shares")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 20000\n")
    with (folder / "mosquitto.log").open("wb") as log:
        broker = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)  # noqa: S603  (found on the PATH)
    try:
        assert wait_until(lambda: _answers(port), 10)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        broker.terminate()
        broker.wait(10)


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.stack
def test_two_ingest_processes_share_the_messages_of_a_broker_that_shares(tmp_path: Path) -> None:
    nats = EmbeddedNats(tmp_path / "nats")
    nats.start()
    members: list[subprocess.Popen[bytes]] = []
    try:
        with mosquitto(tmp_path) as url:
            stream = NatsStream(nats.nats_url("worker"), name="test")
            stream.put_clock(production_clock())
            logs = [tmp_path / f"ingest-{n}.log" for n in (1, 2)]
            for n, log in enumerate(logs):
                environment = {
                    "WELLKEPT_MQTT_URL": url,
                    "WELLKEPT_NATS_URL": nats.nats_url("ingest"),
                    "WELLKEPT_MQTT_WINDOW": "20000",
                    "WELLKEPT_MQTT_CLIENT_ID": f"ingest-{n}",
                    "WELLKEPT_SHARE": "ingest",
                }
                with log.open("wb") as file:
                    command = [sys.executable, "-m", "ingest"]
                    members.append(
                        subprocess.Popen(command, stdout=file, stderr=file, env=os.environ | environment)  # noqa: S603  (ours)
                    )
            assert wait_until(lambda: all(b"shared subscription serves" in log.read_bytes() for log in logs), 30)
            publish(url, MESSAGES)
            for partition in range(16):
                stream.seek(partition, Position("", 0))
            stored: Counter[int] = Counter()
            until = time.monotonic() + 30
            while stored.total() < MESSAGES and time.monotonic() < until:
                for entry in stream.take(0.2, 256):
                    stored.update(decode_block(entry.data).seq.tolist())
            stream.close()
            for member in members:
                member.send_signal(signal.SIGTERM)
            assert [member.wait(20) for member in members] == [0, 0]
            shares = [_messages(log) for log in logs]
    finally:
        for member in members:
            member.kill()
            member.wait()
        nats.stop()
    assert stored == Counter(range(1, MESSAGES + 1))
    assert sum(shares) == MESSAGES
    assert min(shares) > MESSAGES // 10


def _messages(log: Path) -> int:
    last = next(json.loads(line) for line in log.read_text().splitlines() if '"ingest ended"' in line)
    return int(last["messages"])
