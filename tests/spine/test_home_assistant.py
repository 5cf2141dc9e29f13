"""What Home Assistant is told: over the embedded broker, retained, in its own grammar, of one organisation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from storage.pool import connect
from storage.read_home import HomeState
from telemetry.catalogue import load_catalogue
from tests.spine.rig import Rig, rig, wait_for
from worker.home_assistant import discovery_messages, state_message

CATALOGUE = load_catalogue()
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
COMPONENTS = {"health": "sensor", "problem": "binary_sensor", "finding": "sensor", "visit": "sensor"}


def state(**changed: object) -> HomeState:
    known: dict[str, Any] = {
        "org": "demo", "device": "fridge-1", "kind": "refrigerator", "model": "KX-300", "room": "Kitchen", "lang": "en",
        "health": "faulty", "seen": START, "ticket": "WK-1001", "visit_start": START, "visit_end": START,
        "visit_state": "confirmed",
        "finding": {"severity": 3, "onset": 1_790_000_000_000_000, "causes": [{"fault": "condenser_fan_wear"}]},
    }  # fmt: skip
    return HomeState(**(known | changed))


def test_every_entity_is_discovered_once_and_reads_the_state() -> None:
    made = discovery_messages(state(), CATALOGUE, "homeassistant")
    configs = [json.loads(each.payload) for each in made]
    assert [each.topic.split("/")[1] for each in made] == list(COMPONENTS.values())
    assert len({each["unique_id"] for each in configs}) == 4
    assert len({each.topic for each in made}) == 4
    said = json.loads(state_message(state(), CATALOGUE).payload)
    for config in configs:
        assert config["state_topic"] == "wellkept/v1/demo/fridge-1/home"
        # The template of each names a member that is there.
        assert config["value_template"].split(".")[1].split(" ")[0] in said
        assert config["device"]["identifiers"]
    assert said["health"] in configs[0]["options"]
    assert said["problem"] == "ON"
    assert datetime.fromisoformat(said["visit"]) == START
    assert said["finding"] == CATALOGUE["refrigerator"].faults["condenser_fan_wear"].title.en


def test_words_are_the_households_and_unknown_is_neither() -> None:
    chinese = json.loads(state_message(state(lang="zh"), CATALOGUE).payload)
    assert chinese["finding"] == CATALOGUE["refrigerator"].faults["condenser_fan_wear"].title.zh
    nothing = json.loads(
        state_message(state(health="unknown", finding=None, ticket=None, visit_start=None), CATALOGUE).payload
    )
    assert (nothing["problem"], nothing["finding"], nothing["visit"]) == (None, "Nothing noticed", None)
    abstained = state(finding={"causes": [{"fault": "unknown", "probability": 1.0}]})
    assert json.loads(state_message(abstained, CATALOGUE).payload)["finding"] == "Something is not as usual"


def test_the_firmware_is_told_where_it_is_known() -> None:
    known, silent = (
        json.loads(discovery_messages(each, CATALOGUE, "homeassistant")[0].payload)["device"]
        for each in (state(firmware="2.5.0"), state())
    )
    assert known["sw_version"] == "2.5.0"
    assert "sw_version" not in silent


def test_ids_that_look_alike_stay_apart() -> None:
    one, other = state(org="a_b", device="c"), state(org="a", device="b_c")
    ids = [json.loads(discovery_messages(each, CATALOGUE, "ha")[0].payload)["unique_id"] for each in (one, other)]
    assert ids[0] != ids[1]


@pytest.fixture
def running() -> Iterator[Rig]:
    with rig(home_assistant="homeassistant") as one:
        yield one


class Home:
    """Listens as user `home`, as Home Assistant would."""

    def __init__(self, running: Rig) -> None:
        parts = urlsplit(running.supervisor.mqtt_url("home"))
        self.heard: dict[str, dict[str, Any]] = {}
        self.retained: set[str] = set()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="home")
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self._client.on_message = self._message
        self._client.connect(parts.hostname or "", parts.port or 0)
        self._client.subscribe([("homeassistant/#", 1), ("wellkept/v1/demo/+/home", 1)])
        self._client.loop_start()

    def _message(self, _client: mqtt.Client, _data: object, got: mqtt.MQTTMessage) -> None:
        self.heard[got.topic] = json.loads(got.payload)
        if got.retain:
            self.retained.add(got.topic)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.stack
def test_a_home_follows_what_happens(running: Rig) -> None:
    running.register("smart_plug", ["plug-1"])
    topic = "wellkept/v1/demo/plug-1/home"
    first = Home(running)
    try:
        wait_for(lambda: topic in first.heard and len(first.heard) == 5, 90, "discovery and state")
        assert first.heard[topic]["health"] == "unknown"
        with connect(running.database_url, application="test") as conn:
            conn.execute(
                "insert into device_observed (device, epoch, seq, last_t, last_arrival, health, since) "
                "select no, 1, 1, now(), now(), 'ok', now() from device"
            )
        wait_for(lambda: first.heard[topic]["health"] == "ok", 30, "the change")
    finally:
        first.stop()
    # Who comes later, as after a restart of theirs, finds it all there.
    later = Home(running)
    try:
        wait_for(lambda: len(later.retained) == 5, 20, "what is retained")
        assert later.heard[topic]["problem"] == "OFF"
    finally:
        later.stop()
