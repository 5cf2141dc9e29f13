"""The configuration of the embedded `nats-server`: a pure function of names, ports, passwords and rights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telemetry.identity import DeviceKey

INFLIGHT = 16_383
"""MQTT in-flight window of one subscription: messages a second are capped at window / block age.

The server allows 65,535 over all subscriptions of a session and refuses those beyond (measured: given all of it,
a second subscription with QoS 1 is not granted)."""

ACK_WAIT = "10s"
"""After this long an unacknowledged message is delivered again; the server's 30 s blinds detectors that long."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one server."""

    nats: int
    mqtt: int
    http: int


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user may do.

    Attributes:
        user: its name.
        publish: subjects, in the server's own grammar (`a.b` is the topic `a/b`).
        subscribe: likewise.
        mqtt_only: refuse it on the stream's own port.
        deny_publish: taken away from `publish`.
    """

    user: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    mqtt_only: bool = False
    deny_publish: tuple[str, ...] = ()


def device_user(key: DeviceKey) -> str:
    """The user name of a device; ids hold no dot, so that it is unambiguous."""
    return f"{key.org}.{key.device}"


def worker_rights() -> Rights:
    """Everything: worker, api and the supervisor."""
    return Rights("worker", (">",), (">",))


def subjects_of(patterns: Sequence[str]) -> tuple[str, ...]:
    """Filters of MQTT in the server's own grammar; there `#` leaves out the level before it, which MQTT hears too."""
    whole = [each.removesuffix("/#") for each in patterns if each.endswith("/#")]
    return tuple(each.replace("/", ".").replace("+", "*").replace("#", ">") for each in (*patterns, *whole))


def foreign_rights(filters: Sequence[str]) -> Rights:
    """Devices and bridges that people own already: they publish what is listened to, and may talk among themselves.

    What a bridge of theirs hears is theirs: they share the broker, never our own topics.
    """
    subjects = subjects_of(filters)
    return Rights(user="appliances", publish=subjects, subscribe=subjects, mqtt_only=True)


def home_rights(org: str, prefix: str) -> Rights:
    """Home Assistant: hears what it is told of one organisation's appliances, and tells when it was started."""
    own = f"wellkept.v1.{org}.*.home"
    return Rights("home", publish=(f"{prefix}.status",), subscribe=(*subjects_of([f"{prefix}/#"]), own), mqtt_only=True)


def ingest_rights(filters: Sequence[str] = (), home: str = "") -> Rights:
    """Hears all devices, answers them, publishes blocks; cannot delete or purge what is stored.

    Args:
        filters: topics of other grammars that it reads too.
        home: prefix of Home Assistant's discovery topics, if it is told of appliances.
    """
    told = (f"{home}.>", "wellkept.v1.*.*.home") if home else ()
    return Rights(
        user="ingest",
        publish=(
            "wk.block.>",
            "wk.out.>",
            "wk.pulse.ingest.>",
            "$JS.API.>",
            "$JS.ACK.>",
            "$KV.wk_clock.>",
            "_INBOX.>",
            "wellkept.v1.*.*.receipt",
            "wellkept.v1.*.*.command",
            "wellkept.v1.clock",
            *told,
        ),
        subscribe=("wellkept.v1.>", "wk.out.>", "$KV.wk_clock.>", "_INBOX.>", *subjects_of(filters)),
        deny_publish=("$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.>", "$JS.API.STREAM.MSG.DELETE.>"),
    )


def gateway_rights(org: str, user: str = "gateway") -> Rights:
    """A gateway that speaks for all devices of one organisation."""
    own = f"wellkept.v1.{org}"
    return Rights(
        user=user,
        publish=tuple(f"{own}.*.{channel}" for channel in ("telemetry", "event", "state", "response")),
        subscribe=(f"{own}.*.receipt", f"{own}.*.command", "wellkept.v1.clock"),
        mqtt_only=True,
    )


def listener_user(org: str) -> str:
    """The user name of a system that hears an organisation's changes; a device's holds one dot."""
    return f"{org}..events"


def listener_rights(org: str) -> Rights:
    """Another system: it hears the changes of its organisation, and can publish nothing.

    Nothing at all: who may ask the stream for messages may name the subject on which they arrive.
    """
    return Rights(listener_user(org), (), (f"wk.events.{org}.>",))


def device_rights(key: DeviceKey) -> Rights:
    """One device: its own topics."""
    own = f"wellkept.v1.{key.org}.{key.device}"
    return Rights(
        user=device_user(key),
        publish=tuple(f"{own}.{channel}" for channel in ("telemetry", "event", "state", "response")),
        subscribe=(f"{own}.receipt", f"{own}.command", "wellkept.v1.clock"),
        mqtt_only=True,
    )


def render_users(rights: Sequence[Rights], passwords: dict[str, str]) -> str:
    """The included file of users; strings are JSON strings, which the server's grammar reads as they are."""
    users = [_user(right, passwords[right.user]) for right in rights]
    return f"users: {json.dumps(users, indent=1)}\n"


def _user(right: Rights, password: str) -> dict[str, Any]:
    user: dict[str, Any] = {
        "user": right.user,
        "password": password,
        "permissions": {
            "publish": {"allow": list(right.publish), "deny": list(right.deny_publish) or _nothing(right.publish)},
            "subscribe": {"allow": list(right.subscribe)},
        },
    }
    if right.mqtt_only:
        user["allowed_connection_types"] = ["MQTT", "MQTT_WS"]
    return user


def _nothing(allowed: Sequence[str]) -> list[str]:
    """An empty list of what is allowed would allow everything."""
    return [] if allowed else [">"]


def render_server(name: str, ports: Ports, store: str, *, max_store_bytes: int, users_file: str) -> str:
    """The main file. The monitoring port answers on the loopback too and carries no secret."""
    text = json.dumps
    return f"""# Written by the product at each start; change settings there, not here.
server_name: {text(name)}
listen: "127.0.0.1:{ports.nats}"
http: "127.0.0.1:{ports.http}"
max_payload: 1048576
max_pending: 134217728
write_deadline: "10s"
jetstream {{
  store_dir: {text(store)}
  max_file_store: {max_store_bytes}
  max_memory_store: 67108864
}}
mqtt {{
  listen: "127.0.0.1:{ports.mqtt}"
  ack_wait: {text(ACK_WAIT)}
  max_ack_pending: {INFLIGHT}
}}
authorization {{
  include {text(users_file)}
}}
"""
