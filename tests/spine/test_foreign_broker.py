"""Plugs that people own, over the embedded broker: stored behind the hold, kept when unfit, shut out of our topics."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from storage.pool import connect
from tests.spine.rig import Rig, rig, wait_for

pytestmark = pytest.mark.stack
SOURCES = """
[[source]]
format = "tasmota"
org = "demo"
[[source]]
format = "shelly"
org = "demo"
topics = ["+/events/rpc"]
[[source]]
format = "zigbee2mqtt"
org = "demo"
devices = {"kitchen/fridge" = "zigbee"}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    path: Path = tmp_path_factory.mktemp("adapters") / "adapters.toml"
    path.write_text(SOURCES, encoding="utf-8")
    with rig(adapters=path) as one:
        one.register("smart_plug", ["tasmota", "shelly", "zigbee"])
        yield one


class Bridge:
    """Speaks as user `appliances`, as a bridge or a plug would."""

    def __init__(self, running: Rig, qos: int) -> None:
        parts = urlsplit(running.supervisor.mqtt_url("appliances"))
        self.qos = qos
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bridge")
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self._client.connect(parts.hostname or "", parts.port or 0)
        self._client.loop_start()

    def say(self, topic: str, body: object) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._client.publish(topic, payload, qos=self.qos).wait_for_publish(10)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def count(running: Rig, query: str) -> int:
    with connect(running.database_url, application="look") as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(str(row[0]))


KEPT = """
select (select count(*) from reading_smart_plug r join device d on d.no = r.device where d.device = '{0}')
     + (select count(*) from held_reading h join device d on d.no = h.device where d.device = '{0}')
"""


def test_plugs_of_others_are_stored(running: Rig) -> None:
    wait_for(lambda: any("mqtt" in line.lower() for line in running.said), 30, "the broker")
    bridge, now = Bridge(running, 1), time.time()

    def say_all(at: float) -> None:
        """One word of each."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
        bridge.say("tele/tasmota/SENSOR", {"Time": stamp, "ENERGY": {"Power": 80}})
        params = {"ts": at, "switch:0": {"id": 0, "apower": 80.5}}
        bridge.say("shelly/events/rpc", {"method": "NotifyStatus", "params": params})
        bridge.say("zigbee2mqtt/kitchen/fridge", {"power": 81.0, "last_seen": int(at * 1000)})
        bridge.say("zigbee2mqtt/bedroom/lamp", {"power": 4.0})

    try:
        # Until ingest has subscribed nobody hears; afterwards each counts once.
        def heard() -> bool:
            say_all(now)
            return count(running, KEPT.format("zigbee")) > 0

        wait_for(heard, 90, "the first reading")
        for second in range(1, 5):
            say_all(now - second)
        bridge.say("tele/tasmota/SENSOR", b'{"ENERGY":{"Power":"much"}}')
        bridge.say("wellkept/v1/demo/tasmota/telemetry", b'{"v":1,"epoch":9,"seq":1,"base":1,"t":1,"q":{"power":1}}')
        for name in ("tasmota", "shelly", "zigbee"):
            wait_for(lambda n=name: count(running, KEPT.format(n)) == 5, 20, name)  # type: ignore[misc]
        unfit = "select count(*) from dead_letter where reason = 'malformed' and topic = 'tele/tasmota/SENSOR'"
        wait_for(lambda: count(running, unfit) == 1, 20, "the dead letter")
        assert count(running, "select count(*) from dead_letter where reason <> 'malformed'") == 0
    finally:
        bridge.stop()
