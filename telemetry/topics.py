"""The topic grammar, version 1: `wellkept/v1/{org}/{device}/{channel}` as pure functions."""

from __future__ import annotations

from enum import StrEnum

from telemetry.errors import WireError
from telemetry.identity import DeviceKey, parse_id

ROOT = "wellkept/v1"
CLOCK_TOPIC = f"{ROOT}/clock"
_LEVELS = 5


class Channel(StrEnum):
    """The last level of a device's topic."""

    TELEMETRY = "telemetry"
    EVENT = "event"
    STATE = "state"
    RECEIPT = "receipt"
    COMMAND = "command"
    RESPONSE = "response"
    HOME = "home"
    """Retained: what a home's own automation is told of the appliance."""


UPWARD = (Channel.TELEMETRY, Channel.EVENT, Channel.STATE, Channel.RESPONSE)
"""Channels that devices publish on."""


def topic_of(key: DeviceKey, channel: Channel) -> str:
    """Build a device's topic."""
    return f"{ROOT}/{key.org}/{key.device}/{channel}"


def parse_topic(topic: str) -> tuple[DeviceKey, Channel]:
    """Split a device's topic.

    Raises:
        WireError: reason `topic` or `identity`.
    """
    parts = topic.split("/")
    if len(parts) != _LEVELS or parts[0] != "wellkept" or parts[1] != "v1":
        raise WireError("topic", f"{topic[:120]!r} is not {ROOT}/ORG/DEVICE/CHANNEL")
    try:
        channel = Channel(parts[4])
    except ValueError as cause:
        allowed = ", ".join(Channel)
        raise WireError("topic", f"channel {parts[4][:40]!r} is not one of {allowed}") from cause
    return DeviceKey(parse_id(parts[2], "organisation"), parse_id(parts[3], "device")), channel


def subscription(channel: Channel) -> str:
    """The filter under which ingest hears one channel of all devices."""
    return f"{ROOT}/+/+/{channel}"
