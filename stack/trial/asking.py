"""Self-tests on a site: the command reaches a device that is connected, its firmware answers as it would over MQTT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from firmware_sim.commands import Commands
from firmware_sim.fleet import Fleet
from storage.telemetry_rows import Batch
from telemetry.command import Command, Name, Status
from telemetry.control import ControlKind
from telemetry.identity import DeviceKey
from telemetry.message import WIRE_VERSION, encode_json
from telemetry.topics import Channel, topic_of


class Asked(msgspec.Struct, frozen=True):
    """A self-test that the desk wants of a device.

    Attributes:
        id: of the request.
        device: whom it asks.
    """

    id: str
    device: DeviceKey


class Answered(msgspec.Struct, frozen=True):
    """An answer that took effect: the body of its control entry, and when it arrived, fleet time."""

    id: str
    at: int
    body: dict[str, Any]


class Asking:
    """The tests under way on a site.

    Args:
        fleet: of the site.
        keys: of its devices, by index.
    """

    def __init__(self, fleet: Fleet, keys: Mapping[int, DeviceKey]) -> None:
        self._fleet = fleet
        self._commands = Commands(fleet)
        self._index = {key: index for index, key in keys.items()}
        self._waiting: dict[str, Asked] = {}

    def ask(self, asked: Iterable[Asked]) -> list[tuple[int, int, bytes, bytes]]:
        """Send commands, new ones and those that nobody has heard or a busy device put off.

        Returns:
            Answers on their way: when each arrives, the device's index, topic and payload.
        """
        self._waiting |= {one.id: one for one in asked}
        network, now = self._fleet.comms.network, self._fleet.now
        found = []
        for one in list(self._waiting.values()):
            index = self._index[one.device]
            if network.online_at(index, now) != now:
                continue
            said = self._commands.take(str(one.device), Command(v=WIRE_VERSION, id=one.id, command=Name.SELF_TEST))
            if said.response.status is Status.BUSY:
                continue
            del self._waiting[one.id]
            at = network.online_at(index, said.due)
            if at is not None:
                topic = topic_of(one.device, Channel.RESPONSE).encode()
                found.append((at, index, topic, encode_json(said.response)))
        return found


def answers(batch: Batch) -> list[Answered]:
    """The self-tests among the control entries that took effect; the desk hears of them after the revisions."""
    latest: dict[int, int] = {}
    for each in batch.findings:
        latest[each.device.no] = max(each.arrival, latest.get(each.device.no, 0))
    return [
        Answered(each.entry.id, max(each.entry.at, latest.get(each.device, 0)), each.entry.body)
        for each in batch.controls
        if each.entry.kind is ControlKind.SELF_TEST
    ]
