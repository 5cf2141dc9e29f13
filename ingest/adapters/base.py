"""What an adapter is: a topic and a payload in, readings by device out; no thread, socket or clock."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

import msgspec

from telemetry.clock import MICROS
from telemetry.errors import WireError

CHANNELS: Mapping[str, str] = {"power": "power"}
"""What is taken of a payload unless told: the one channel that every smart plug is judged by."""
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST = 64


class Said(NamedTuple):
    """What a payload says of one device.

    Attributes:
        device: its name in the foreign grammar.
        t: Unix seconds of the reading, None when the payload does not say: it is dated by its arrival.
        q: quantity in the foreign grammar to number.
    """

    device: str
    t: float | None
    q: dict[str, float]


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings say of one source.

    Attributes:
        zone: of times that name none.
        fields: of the plain mapping: quantity to the path of its number in the payload.
        time: of the plain mapping: path of the time, empty when there is none.
        device: of the plain mapping: path of the device's name, empty when it stands in the topic.
        suffix: of formats with a topic a quantity: quantity to the end of the name that stands for it.
    """

    zone: tzinfo = UTC
    fields: Mapping[str, str] = field(default_factory=dict)
    time: str = ""
    device: str = ""
    suffix: Mapping[str, str] = field(default_factory=lambda: {"power": "power"})


Decode = Callable[[str, bytes, Options], list[Said]]
"""Raises WireError `malformed` when the payload is not what the format says; an empty list is nothing of interest."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of foreign payload.

    Attributes:
        name: in the settings.
        title: what it is.
        filters: topics it is heard on unless the settings say others.
        decode: the function.
    """

    name: str
    title: str
    filters: tuple[str, ...]
    decode: Decode


_json = msgspec.json.Decoder().decode


def read_object(payload: bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        WireError: reason `malformed`.
    """
    try:
        found = _json(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise WireError("malformed", str(cause)[:200]) from cause
    if not isinstance(found, dict):
        raise WireError("malformed", f"a JSON object is expected, not {type(found).__name__}")
    return found


def read_number(value: object, name: str) -> float | None:
    """A number as JSON has it, or as text that is one; None for what devices say when they do not know.

    Raises:
        WireError: reason `malformed` for anything else, `not_finite` for numbers that are none.
    """
    if value is None or (
        isinstance(value, str) and value.strip().lower() in ("", "nan", "unknown", "unavailable", "none")
    ):
        return None
    try:
        # JSON's true and false are numbers to Python, and to nobody else.
        number = float("true" if isinstance(value, bool) else value)  # type: ignore[arg-type]  # others: a TypeError
    except (TypeError, ValueError) as cause:
        raise WireError("malformed", f"{name}: {str(value)[:60]!r} is not a number") from cause
    if not math.isfinite(number):
        raise WireError("not_finite", f"{name} is {number}")
    return number


def read_numbers(values: Mapping[str, object]) -> dict[str, float]:
    """The numbers that are there."""
    found = {name: read_number(value, name) for name, value in values.items()}
    return {name: number for name, number in found.items() if number is not None}


def read_time(value: object, zone: tzinfo) -> float | None:
    """Unix seconds of a time: ISO 8601 with or without an offset, or seconds or milliseconds since 1970.

    Raises:
        WireError: reason `time`.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Milliseconds of the year 1973 are seconds of the year 5138.
        return value / 1000 if value >= 1e11 else float(value)  # noqa: PLR2004
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError as cause:
            raise WireError("time", f"{value[:40]!r} is not an ISO 8601 time") from cause
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone)
        return round(at.timestamp() * MICROS) / MICROS
    raise WireError("time", f"{str(value)[:40]!r} is not a time")


def fit_id(name: str) -> str:
    """A foreign name as an id of ours: what topics do not carry becomes `_`."""
    return _UNFIT.sub("_", name)[:_LONGEST]


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic fits a filter of MQTT."""
    wanted, given = pattern.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given) or (level not in {"+", given[index]}):
            return False
    return len(wanted) == len(given)


def first(values: Iterable[object]) -> object:
    """The first of several, None of nothing."""
    return next(iter(values), None)
