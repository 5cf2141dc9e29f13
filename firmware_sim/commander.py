"""Asks a device over MQTT and waits for its answer: the server's side of a command, for people and tests."""

from __future__ import annotations

import threading
from uuid import uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.connection import parse_url
from telemetry.command import Response, Value, decode_response, new_command
from telemetry.errors import WellkeptError, WireError
from telemetry.identity import DeviceKey
from telemetry.topics import Channel, topic_of

_OPEN_S = 10.0
_REPEAT_S = 5.0


class NoAnswerError(WellkeptError):
    """The broker or the device said nothing in time."""


def command(
    url: str,
    device: DeviceKey,
    name: str,
    args: dict[str, Value] | None = None,
    *,
    timeout: float = 60.0,
    command_id: str | None = None,
) -> Response:
    """Publish a command and wait for the answer; asked again under the same id while none comes.

    Args:
        url: `mqtt://user:password@host:port` of a user that may publish `command` and hear `response`.
        device: whom.
        name: of the command.
        args: its arguments.
        timeout: wall seconds; a self-test takes two minutes of fleet time.
        command_id: a fresh one by default.

    Raises:
        NoAnswerError: nobody answered.
    """
    address = parse_url(url)
    wanted = command_id or uuid4().hex
    answered, ready = threading.Event(), threading.Event()
    found: list[Response] = []

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        try:
            response = decode_response(bytes(message.payload))
        except WireError:
            return
        if response.id == wanted:
            found.append(response)
            answered.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"wellkept-ask-{uuid4().hex[:12]}")
    if address.user is not None:
        client.username_pw_set(address.user, address.password)
    client.on_connect = lambda one, *_: one.subscribe(topic_of(device, Channel.RESPONSE), 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = on_message
    try:
        client.connect(address.host, address.port)
    except OSError as cause:
        raise NoAnswerError(f"no broker answers at {address.host}:{address.port}: {cause}") from cause
    client.loop_start()
    try:
        if not ready.wait(min(_OPEN_S, timeout)):
            raise NoAnswerError(f"the broker at {address.host}:{address.port} did not let us hear {device}")
        left = timeout
        while left > 0 and not answered.is_set():
            client.publish(topic_of(device, Channel.COMMAND), new_command(wanted, name, args), qos=1)
            answered.wait(min(_REPEAT_S, left))
            left -= _REPEAT_S
    finally:
        client.disconnect()
        client.loop_stop()
    if not found:
        raise NoAnswerError(f"{device} did not answer {name} within {timeout:g} s; is it online?")
    return found[0]
