"""Safety events: judged as they are observed, statelessly but for the family's episode."""

from __future__ import annotations

from detectors.episodes import Assessment, Book
from telemetry.catalogue import KindSpec
from telemetry.finding import Cause, Finding


class SafetyWatch:
    """Turns the event codes that the catalogue names into findings at once."""

    def __init__(self, kind: KindSpec) -> None:
        self._faults = {code: name for name, fault in kind.faults.items() for code in fault.events}
        self._kind = kind

    def observe(self, book: Book, epoch: int, at: int, events: tuple[str, ...]) -> list[Finding]:
        """Open the family's episode for every code that is a fault and has none open."""
        found: list[Finding] = []
        for code in events:
            name = self._faults.get(code)
            if name is None or book.is_open(self._kind.faults[name].family):
                continue
            fault = self._kind.faults[name]
            what = Assessment(
                severity=fault.severity,
                onset=at,
                onset_low=at,
                onset_high=at,
                score=1.0,
                causes=(Cause(fault=name, probability=1.0),),
            )
            found.append(book.open(fault.family, epoch, at, what))
        return found
