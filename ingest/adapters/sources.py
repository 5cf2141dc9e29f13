"""Which foreign payloads are heard, and whose they are: a TOML file, checked when it is read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.adapters import esphome, homeassistant, plain_json, shelly, tasmota, zigbee2mqtt
from ingest.adapters.base import CHANNELS, Format, Options, Said, fit_id, matches
from telemetry.errors import WellkeptError, WireError
from telemetry.identity import DeviceKey, parse_id
from telemetry.message import is_word
from telemetry.topics import Channel, topic_of

FORMATS: Mapping[str, Format] = {
    each.FORMAT.name: each.FORMAT for each in (tasmota, shelly, zigbee2mqtt, esphome, homeassistant, plain_json)
}
_OURS = topic_of(DeviceKey("org", "device"), Channel.TELEMETRY)


class SourcesError(WellkeptError):
    """The file of sources cannot be used; the sentence names file, place and mend."""


class _SourceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str
    org: str
    topics: list[str] = Field(default_factory=list)
    zone: str = "UTC"
    devices: dict[str, str] = Field(default_factory=dict)
    channels: dict[str, str] = Field(default_factory=dict)
    fields: dict[str, str] = Field(default_factory=dict)
    time: str = ""
    device: str = ""
    suffix: dict[str, str] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: list[_SourceFile] = Field(min_length=1)


class Reading(NamedTuple):
    """What a foreign payload says, in our words.

    Attributes:
        key: the device.
        t: Unix seconds, None when it is dated by its arrival.
        q: channel to number.
    """

    key: DeviceKey
    t: float | None
    q: dict[str, float]


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the file.

    Attributes:
        format: how payloads are read.
        org: organisation of its devices.
        topics: filters.
        devices: foreign name to id; when empty, every device is taken, under its own name.
        channels: quantity to channel.
        options: for the format.
    """

    format: Format
    org: str
    topics: tuple[str, ...]
    devices: Mapping[str, str]
    channels: Mapping[str, str]
    options: Options

    def read(self, topic: str, payload: bytes) -> list[Reading]:
        """What a payload says of the devices that are wanted.

        Raises:
            WireError: it is not what its format says.
        """
        found = self.format.decode(topic, payload, self.options)
        readings = (self._reading(said, topic) for said in found)
        return [each for each in readings if each is not None]

    def _reading(self, said: Said, topic: str) -> Reading | None:
        name = said.device or self._name_in(topic)
        if self.devices and name not in self.devices:
            return None
        q = {self.channels[quantity]: x for quantity, x in said.q.items() if quantity in self.channels}
        ident = parse_id(self.devices.get(name) or fit_id(name), "device")
        return Reading(DeviceKey(self.org, ident), said.t, q) if q else None

    def _name_in(self, topic: str) -> str:
        """What stands for the first `+` of the filter that the topic fits."""
        pattern = next(each for each in self.topics if matches(each, topic))
        levels = pattern.split("/")
        return topic.split("/")[levels.index("+")] if "+" in levels else topic


class Sources:
    """All entries of a file."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.all = tuple(sources)

    @property
    def filters(self) -> list[str]:
        """What is to be subscribed to."""
        return list(dict.fromkeys(each for source in self.all for each in source.topics))

    def find(self, topic: str) -> Source | None:
        """The first source with a filter that the topic fits."""
        return next((one for one in self.all if any(matches(each, topic) for each in one.topics)), None)


def load_sources(path: Path) -> Sources:
    """Read a file of sources.

    Raises:
        SourcesError: it cannot be read or used.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise SourcesError(f"{path}: {cause.strerror}") from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise SourcesError(f"{path}: {cause}") from cause
    try:
        file = _File.model_validate(raw)
    except ValidationError as cause:
        first = cause.errors()[0]
        place = ".".join(str(each) for each in first["loc"])
        raise SourcesError(f"{path}: {place}: {first['msg']}; docs/adapters.md has every key") from cause
    return Sources([_checked(path, number, each) for number, each in enumerate(file.source, 1)])


def _checked(path: Path, number: int, given: _SourceFile) -> Source:
    where = f"{path}: source {number}"
    known = FORMATS.get(given.format)
    if known is None:
        near = get_close_matches(given.format, FORMATS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SourcesError(f"{where}: format {given.format!r} is not one of {', '.join(FORMATS)}{hint}")
    topics = tuple(given.topics) or known.filters
    if not topics:
        raise SourcesError(f'{where}: format {known.name!r} needs topics, such as ["home/+/state"]')
    for each in topics:
        _check_filter(where, each)
    if known.name == plain_json.FORMAT.name and not given.fields:
        raise SourcesError(f'{where}: format {known.name!r} needs fields, such as {{power = "meter.watts"}}')
    channels = given.channels or {name: name for name in given.fields} or dict(CHANNELS)
    try:
        parse_id(given.org, "organisation")
        for ident in given.devices.values():
            parse_id(ident, "device")
        zone = UTC if given.zone == "UTC" else ZoneInfo(given.zone)
    except WireError as cause:
        raise SourcesError(f"{where}: {cause.detail}") from cause
    except (LookupError, ValueError) as cause:
        raise SourcesError(f"{where}: zone {given.zone!r} is not known; take one such as 'Asia/Shanghai'") from cause
    unfit = next((name for name in channels.values() if not is_word(name)), None)
    if unfit is not None:
        raise SourcesError(f"{where}: channel {unfit!r} is not a name")
    options = Options(zone, given.fields, given.time, given.device, given.suffix or {q: q for q in channels})
    return Source(known, given.org, topics, given.devices, channels, options)


def _check_filter(where: str, pattern: str) -> None:
    levels = pattern.split("/")
    whole = all(("+" not in level or level == "+") and ("#" not in level or level == "#") for level in levels)
    if not pattern or not whole or "#" in levels[:-1] or " " in pattern:
        raise SourcesError(f"{where}: {pattern!r} is no filter of MQTT: + stands for one level, # for all further ones")
    if matches(pattern, _OURS):
        raise SourcesError(f"{where}: {pattern!r} also hears our own devices; name a narrower one")
