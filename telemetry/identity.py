"""Who speaks: organisation and device, and the partition that carries them."""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

from telemetry.errors import WireError

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
PARTITIONS = 16
"""Default number of partitions; fixed when a stream is created."""


class DeviceKey(NamedTuple):
    """A device of an organisation, as it stands in topics."""

    org: str
    device: str

    def __str__(self) -> str:
        return f"{self.org}/{self.device}"


def parse_id(text: str, what: str) -> str:
    """Return the id when it follows the grammar.

    Raises:
        WireError: reason `identity`, when it does not match `[A-Za-z0-9_-]{1,64}`.
    """
    if not _ID.match(text):
        raise WireError("identity", f"{what} {text[:80]!r} must match [A-Za-z0-9_-]{{1,64}}")
    return text


def parse_key(text: str) -> DeviceKey:
    """Read `org/device`."""
    org, _, device = text.partition("/")
    return DeviceKey(parse_id(org, "organisation"), parse_id(device, "device"))


def partition_of(key: DeviceKey, partitions: int = PARTITIONS) -> int:
    """CRC-32 of `org/device` modulo the number of partitions."""
    return zlib.crc32(f"{key.org}/{key.device}".encode()) % partitions
