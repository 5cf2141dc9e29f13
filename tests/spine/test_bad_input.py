"""What is unfit ends in `dead_letter` with its reason; neighbours are stored; what can be identified is receipted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from stack.replay import replay_dead_letters
from storage.pool import connect
from telemetry.message import MAX_MESSAGE_BYTES, Receipt, decode_receipt
from tests.spine.rig import Rig, rig, wait_for

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    with rig() as one:
        one.register("smart_plug", ["good", "bad"])
        yield one


def message(seq: int, *, t: float | None = None, q: str = '{"power":5}', more: str = "") -> bytes:
    at = time.time() if t is None else t
    return f'{{"v":1,"epoch":1,"seq":{seq},"base":1,"t":{at},"q":{q}{more}}}'.encode()


class Raw:
    """A device that says whatever it is told to, and hears its receipts."""

    def __init__(self, running: Rig) -> None:
        parts = urlsplit(running.supervisor.mqtt_url("gateway"))
        self.receipts: dict[str, Receipt] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="raw")
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self._client.on_message = self._heard
        self._client.connect(parts.hostname or "", parts.port or 0)
        self._client.subscribe("wellkept/v1/demo/+/receipt")
        self._client.loop_start()

    def say(self, device: str, payload: bytes) -> None:
        self._client.publish(f"wellkept/v1/demo/{device}/telemetry", payload, qos=1).wait_for_publish(10)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, _client: mqtt.Client, _data: object, got: mqtt.MQTTMessage) -> None:
        self.receipts[got.topic.split("/")[3]] = decode_receipt(bytes(got.payload))


BAD = {
    "malformed": b'{"v":1,"epoch":1,"seq":2,"base":1,"t":',
    "oversized": message(3, more=',"phase":"' + "x" * MAX_MESSAGE_BYTES + '"'),
    "foreign_body": message(4, more=',"device":"good"'),
    "future": message(5, t=time.time() + 86_400),
    "unknown_channel": message(6, q='{"colour":1}'),
    "not_finite": message(7, q='{"power":1e39}'),
    "shape": message(8, q='{"power":[1,2]}'),
    "word": message(10, more=',"phase":"a\\u0000b"'),
    "version": message(9).replace(b'"v":1', b'"v":3'),
}


def test_unfit_messages_over_the_broker(running: Rig) -> None:
    raw = Raw(running)

    def warm() -> bool:
        raw.say("good", message(1))
        return "good" in raw.receipts

    wait_for(warm, 60, "the first receipt")
    raw.say("bad", message(1))
    for number, payload in enumerate(BAD.values(), 2):
        raw.say("bad", payload)
        raw.say("good", message(number))
    raw.say("bad", message(11))
    raw.say("stranger", message(1))
    raw.say("stranger", message(2))
    last = len(BAD) + 1
    wait_for(lambda: raw.receipts["good"].upto == last, 15, "the neighbour's receipts")
    # Only seq 2 could not be read: a device would be told of the gap and resend or give it up by its base.
    wait_for(lambda: raw.receipts.get("bad") == Receipt(epoch=1, upto=1, beyond=[(3, 11)]), 15, "the receipts of bad")
    wait_for(lambda: raw.receipts.get("stranger") == Receipt(epoch=1, upto=2), 15, "the stranger's receipts")
    with connect(running.database_url, application="look") as conn:
        dead = conn.execute("select device, reason, raw from dead_letter order by id").fetchall()
        stored = conn.execute(
            "select d.device, count(*) from reading_smart_plug r join device d on d.no = r.device group by 1 order by 1"
        ).fetchall()
    assert sorted(str(row[1]) for row in dead if row[0] == "bad") == sorted(BAD)
    assert [row[1] for row in dead if row[0] == "stranger"] == ["unknown_device"] * 2
    assert stored == [("bad", 2), ("good", last)]
    kept = {str(row[1]): row[2] for row in dead}
    assert kept["malformed"] == BAD["malformed"]
    running.register("smart_plug", ["stranger"])
    assert replay_dead_letters("demo/stranger", running.database_url, running.supervisor.nats_url()) == 2
    with connect(running.database_url, application="look", autocommit=True) as conn:

        def brought_in() -> bool:
            query = """
            select count(*) from reading_smart_plug r join device d on d.no = r.device where d.device = 'stranger'
            """
            return conn.execute(query).fetchone() == (2,)

        wait_for(brought_in, 15, "the stranger's messages after its registration")
    assert replay_dead_letters("demo/stranger", running.database_url, running.supervisor.nats_url()) == 0
    raw.stop()
