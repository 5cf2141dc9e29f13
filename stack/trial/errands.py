"""What the desk wants of devices and has not sent yet, control entries and self-tests; and answers that come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from servicedesk.memory import MemoryDesk
from servicedesk.self_tests import ANSWERED
from stack.trial.asking import Answered, Asked
from storage.registry import DeviceRow
from telemetry.clock import to_datetime, to_micros
from telemetry.control import ControlEntry, ControlKind


class Errands:
    """Between the one desk and the sites.

    Args:
        desk: in memory.
        rows: of all devices, by number less one.
        site_of: number of the site of each device, by `org/device`.
    """

    def __init__(self, desk: MemoryDesk, rows: Sequence[DeviceRow], site_of: Mapping[str, int]) -> None:
        self._desk, self._rows, self._site_of = desk, rows, site_of
        self._sent: set[UUID] = set()
        self._tests: set[UUID] = set()

    def tests(self) -> dict[int, list[Asked]]:
        """Self-tests that the desk has asked for since the last step, by site."""
        found: dict[int, list[Asked]] = defaultdict(list)
        for number, test in self._desk.care.help.test_rows.items():
            if number not in self._tests:
                self._tests.add(number)
                key = self._rows[test.device - 1].key
                found[self._site_of[str(key)]].append(Asked(str(number), key))
        return found

    def take(self, answers: Sequence[Answered]) -> None:
        """Devices have answered: the desk hears of it when it has come."""
        for one in sorted(answers, key=lambda each: (each.at, each.id)):
            self._desk.care.help.test_answers[UUID(one.id)] = one.body
            self._desk.agenda.set_due(ANSWERED, UUID(one.id), to_datetime(one.at))

    def controls(self) -> dict[int, list[ControlEntry]]:
        """Entries that the desk has made since the last step, by site."""
        found: dict[int, list[ControlEntry]] = defaultdict(list)
        for number, (device, kind, at, body) in self._desk.agenda.controls.items():
            if number not in self._sent:
                self._sent.add(number)
                key = self._rows[device - 1].key
                entry = ControlEntry(id=str(number), device=key, kind=ControlKind(kind), at=to_micros(at), body=body)
                found[self._site_of[str(key)]].append(entry)
        return found
