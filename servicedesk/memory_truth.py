"""The truth loop's repository in memory: the same promises as PostgreSQL's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from servicedesk.model import Appliance
from servicedesk.trust import Key, Tally, Truth, Verdict


class _Lessons(Protocol):
    @property
    def controls(self) -> Mapping[UUID, tuple[int, str, datetime, Mapping[str, Any]]]: ...


class _Registry(Protocol):
    @property
    def appliances(self) -> Mapping[int, Appliance]: ...


class MemoryTruth:
    """Verdicts and suggestions.

    Args:
        people: has the appliances.
        agenda: has the control entries.
    """

    def __init__(self, people: _Registry, agenda: _Lessons) -> None:
        self.verdicts: dict[UUID, Verdict] = {}
        self.suggestions: dict[UUID, tuple[int, str, datetime]] = {}
        self._people = people
        self._agenda = agenda

    def note(self, verdict: Verdict) -> None:
        """See `servicedesk.ports_truth.TruthBook`, here and below."""
        self.verdicts[verdict.ticket] = verdict

    def of_ticket(self, ticket: UUID) -> Verdict | None:
        """The verdict of a ticket."""
        return self.verdicts.get(ticket)

    def tally(self, key: Key, window: int) -> Tally:
        """The last verdicts."""
        mine = sorted((v for v in self.verdicts.values() if v.key == key), key=lambda v: (v.at, v.id), reverse=True)
        last = [v for v in mine if v.truth is not Truth.MISSED][:window]
        since = last[-1].at if last else None
        missed = sum(v.truth is Truth.MISSED and (since is None or v.at >= since) for v in mine)
        right = sum(v.hit for v in last)
        return Tally(right, len(last) - right, missed)

    def causes(self, key: Key) -> Mapping[str, int]:
        """Confirmed causes."""
        return Counter(v.confirmed for v in self.verdicts.values() if v.key == key and v.confirmed is not None)

    def suggest(self, finding: UUID, device: int, family: str, at: datetime) -> None:
        """Note a suggestion."""
        self.suggestions.setdefault(finding, (device, family, at))

    def suggested(self, device: int, family: str, since: datetime) -> UUID | None:
        """The newest suggestion."""
        found = [
            (at, f) for f, (no, of, at) in self.suggestions.items() if (no, of) == (device, family) and at >= since
        ]
        return max(found)[1] if found else None

    def untaught(self, key: Key, body: Mapping[str, Any], *, anew: bool) -> list[int]:
        """Who knows another lesson."""
        last: dict[int, Mapping[str, Any]] = {}
        for _, (no, kind, _at, told) in sorted(self._agenda.controls.items(), key=lambda item: (item[1][2], item[0])):
            if kind == "priors" and told.get("family") == key.family:
                last[no] = told
        return [
            no
            for no, each in sorted(self._people.appliances.items())
            if (each.org, each.kind, each.model or "") == (key.org, key.kind, key.model)
            and last.get(no) != body
            and (anew or no in last)
        ]
