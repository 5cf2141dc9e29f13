"""A self-test from the desk to the device and back: over the broker, once, and only when it was asked for."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from servicedesk.self_tests import ask_self_test, fall_silent
from servicedesk.states import TicketState
from servicedesk.visiting import move_ticket
from storage.control_store import open_self_tests, silent_self_tests
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from telemetry.clock import system_wall
from telemetry.identity import DeviceKey
from tests.api.case import DAY, NOW, office_of, seed
from tests.spine.rig import Rig, rig, wait_for

pytestmark = pytest.mark.stack
HOUR = timedelta(hours=1)
BASE = "wellkept/v1/demo/fridge-1"


@pytest.fixture
def running() -> Iterator[Rig]:
    with rig() as one:
        yield one


class Device:
    """Answers commands as its firmware would: busy at first, then with what it measured."""

    def __init__(self, running: Rig) -> None:
        parts = urlsplit(running.supervisor.mqtt_url("gateway"))
        self.heard: list[dict[str, Any]] = []
        self.acknowledged = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="fridge")
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self._client.on_message = self._message
        self._client.connect(parts.hostname or "", parts.port or 0)
        self._client.subscribe(f"{BASE}/command", 1)
        self._client.loop_start()

    def _message(self, _client: mqtt.Client, _data: object, got: mqtt.MQTTMessage) -> None:
        command = json.loads(got.payload)
        self.heard.append(command)
        if len(self.heard) == 1:
            self.say(command["id"], "busy")
        else:
            self.say(command["id"], "ok", {"fan_rpm": 940.5})

    def say(self, ident: str, status: str, values: dict[str, float] | None = None) -> None:
        body = {"v": 1, "id": ident, "command": "self_test", "status": status, "t": time.time(), "values": values or {}}
        self._client.publish(f"{BASE}/response", json.dumps(body), qos=1)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_from_the_desk_to_the_device_and_back(running: Rig) -> None:
    with connect(running.database_url, application="test") as conn:
        seeded = seed(conn, wall=system_wall())
        # The product's clock is the machine's: of a case of another day the device would be called silent at once.
        now = datetime.now(UTC)
        office = office_of(conn, load_catalogue(), random.Random(1), now)
        test = ask_self_test(office, seeded.ticket, now, "dispatch")
        conn.commit()

    def row(query: str) -> tuple[Any, ...]:
        with connect(running.database_url, application="look") as conn:
            found = conn.execute(query.encode(), {"test": test.id}).fetchone()
        assert found is not None
        return found

    device = Device(running)
    try:
        answered = "select status, values from self_test where id = %(test)s"
        wait_for(lambda: bool(device.heard), 90, "the command")
        assert device.heard[0]["id"] == str(test.id)
        wait_for(lambda: row(answered)[0] == "ok", 90, "the answer")
        assert row(answered) == ("ok", {"fan_rpm": 940.5})
        # The same answer again, and one to a question that nobody asked.
        device.say(str(test.id), "ok", {"fan_rpm": 1.0})
        device.say(str(uuid.UUID(int=7)), "ok", {"fan_rpm": 1.0})
        wait_for(
            lambda: row("select count(*) from dead_letter where reason = 'unasked'")[0] == 1, 40, "the dead letter"
        )
        assert row(answered) == ("ok", {"fan_rpm": 940.5})
        lines = row("select count(*) from ticket_event where kind = 'self_test' and body ->> 'status' = 'ok'")
        assert lines == (1,)
        assert row("select count(*) from control_entry where kind = 'self_test' and effect_seq is not null") == (1,)
    finally:
        device.stop()


def test_a_device_that_was_silent_is_asked_again_until_a_newer_question_or_the_end(database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        seeded = seed(conn)
        office = office_of(conn, load_catalogue(), random.Random(1), NOW)
        first = ask_self_test(office, seeded.ticket, NOW, "dispatch")
        assert open_self_tests(conn) == [(first.id, DeviceKey("demo", "fridge-1"))]
        assert silent_self_tests(conn, NOW - DAY) == []
        fall_silent(office, first.id, NOW + HOUR)
        assert open_self_tests(conn) == []
        assert silent_self_tests(conn, NOW - DAY) == [(first.id, DeviceKey("demo", "fridge-1"))]
        assert silent_self_tests(conn, NOW + DAY) == []
        second = ask_self_test(office, seeded.ticket, NOW + 2 * HOUR, "dispatch")
        assert silent_self_tests(conn, NOW - DAY) == []
        fall_silent(office, second.id, NOW + 3 * HOUR)
        assert [ident for ident, _ in silent_self_tests(conn, NOW - DAY)] == [second.id]
        move_ticket(office, seeded.ticket, TicketState.CANCELLED, NOW + 4 * HOUR, "dispatch", reason="test")
        assert silent_self_tests(conn, NOW - DAY) == []
