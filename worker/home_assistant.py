"""MQTT discovery for Home Assistant: what each appliance says there, as pure functions.

Four entities a device: health, whether there is a problem, the present finding, the next visit. Their state is one
retained JSON object on `wellkept/v1/ORG/DEVICE/home`; discovery is retained under the prefix that Home Assistant
listens to. Source: its documentation, "MQTT Discovery", component by component, which every version since 2021 reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from storage.read_home import HomeState
from telemetry.catalogue import Catalogue, Text
from telemetry.clock import to_datetime
from telemetry.identity import DeviceKey
from telemetry.topics import Channel, topic_of

_encode = msgspec.json.Encoder(order="deterministic").encode
_HEALTH = ("ok", "faulty", "unknown")
_NAMES: Mapping[str, Text] = {
    "health": Text(zh="健康状况", en="Health"),
    "problem": Text(zh="有异常", en="Problem"),
    "finding": Text(zh="当前发现", en="Finding"),
    "visit": Text(zh="下次上门", en="Next visit"),
}
_NOTHING = Text(zh="没有发现异常", en="Nothing noticed")
_NO_CAUSE = Text(zh="原因未定的异常", en="Something is not as usual")
_LONGEST = 250
"""Home Assistant refuses a state of more than 255 characters."""


@dataclass(frozen=True, slots=True)
class Retained:
    """A retained message for the broker."""

    topic: str
    payload: bytes


def key_of(state: HomeState) -> DeviceKey:
    """Whose state it is."""
    return DeviceKey(state.org, state.device)


def state_message(state: HomeState, catalogue: Catalogue) -> Retained:
    """What the appliance's entities show now."""
    finding = state.finding or {}
    words = _pick(_fault(state, catalogue), state.lang)
    body = {
        "health": state.health,
        "problem": "ON" if state.health == "faulty" else "OFF" if state.health == "ok" else None,
        "finding": words[:_LONGEST],
        "severity": finding.get("severity"),
        "since": _iso(to_datetime(finding["onset"])) if "onset" in finding else None,
        "ticket": state.ticket,
        "visit": _iso(state.visit_start),
        "visit_end": _iso(state.visit_end),
        "visit_state": state.visit_state,
        "last_seen": _iso(state.seen),
    }
    return Retained(topic_of(key_of(state), Channel.HOME), _encode(body))


def discovery_messages(state: HomeState, catalogue: Catalogue, prefix: str) -> list[Retained]:
    """What makes the entities known; the same bytes until room, model, firmware or language change."""
    key = key_of(state)
    uid = f"wellkept_{_slug(key)}"
    title = _pick(catalogue[state.kind].title, state.lang) if state.kind in catalogue else state.kind
    device = {
        "identifiers": [uid],
        "name": f"{title}, {state.room}" if state.room else title,
        "manufacturer": "Wellkept",
        "model": state.model or title,
    }
    if state.room:
        device["suggested_area"] = state.room
    if state.firmware:
        device["sw_version"] = state.firmware
    topic = topic_of(key, Channel.HOME)
    own: dict[str, tuple[str, dict[str, Any]]] = {
        "health": ("sensor", {"device_class": "enum", "options": list(_HEALTH), "icon": "mdi:heart-pulse"}),
        "problem": ("binary_sensor", {"device_class": "problem"}),
        "finding": ("sensor", {"icon": "mdi:wrench-clock", "json_attributes_topic": topic}),
        "visit": ("sensor", _when_there_is_one("visit", topic)),
    }
    made = []
    for name, (component, more) in own.items():
        config = {
            "name": _pick(_NAMES[name], state.lang),
            "unique_id": f"{uid}_{name}",
            "state_topic": topic,
            "value_template": "{{ value_json." + name + " }}",
            "device": device,
            "origin": {"name": "Wellkept"},
            **more,
        }
        made.append(Retained(f"{prefix}/{component}/{uid}/{name}/config", _encode(config)))
    return made


def _when_there_is_one(name: str, topic: str) -> dict[str, Any]:
    """A time that is unavailable while there is none: older versions know no empty time and would complain of one."""
    return {
        "device_class": "timestamp",
        "icon": "mdi:calendar-account",
        "value_template": "{{ value_json." + name + " or '1970-01-01T00:00:00+00:00' }}",
        "availability_topic": topic,
        "availability_template": "{{ 'online' if value_json." + name + " else 'offline' }}",
    }


def _fault(state: HomeState, catalogue: Catalogue) -> Text:
    """The likeliest cause's title, or that there is nothing."""
    causes = (state.finding or {}).get("causes") or []
    kind = catalogue.kinds.get(state.kind)
    if kind is None or not causes:
        return _NOTHING
    fault = kind.faults.get(causes[0]["fault"])
    return _NO_CAUSE if fault is None else fault.title


def _pick(text: Text, lang: str) -> str:
    return text.zh if lang == "zh" else text.en


def _slug(key: DeviceKey) -> str:
    """Unambiguous for any pair of ids: both may hold underscores."""
    mark = hashlib.sha256(str(key).encode()).hexdigest()[:8]
    return f"{key.org}_{key.device}_{mark}".lower().replace("-", "_")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
