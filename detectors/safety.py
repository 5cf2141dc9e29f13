"""Safety events: judged as they are observed, statelessly but for the family's episode."""

from __future__ import annotations

from functools import partial

from detectors.episodes import Assessment, Book
from telemetry.catalogue import KindSpec
from telemetry.finding import Cause, Finding


class SafetyWatch:
    """Turns the event codes that the catalogue names into findings at once."""

    def __init__(self, kind: KindSpec) -> None:
        self._kind = kind
        self._faults = {code: name for name, fault in kind.faults.items() for code in fault.events}
        self.families = frozenset(kind.faults[name].family for name in self._faults.values())

    def observe(self, book: Book, epoch: int, at: int, events: tuple[str, ...]) -> list[Finding]:
        """Open the family's episode for every code that is a fault; a code after a repair says that it failed."""
        found: list[Finding] = []
        for code in events:
            name = self._faults.get(code)
            if name is None:
                continue
            family = self._kind.faults[name].family
            if not book.is_open(family):
                found.append(book.open(family, epoch, at, self._assess(name, at, 1.0)))
            elif book.proving(family) and not book.blind(family, at):
                found.append(book.fail(family, at, self._assess(name, at, 1.0)))
        return found

    def settle(self, book: Book, start: int, at: int) -> list[Finding]:
        """A cycle passed without such an event: it counts for a proof, and in the end closes the episode."""
        found: list[Finding] = []
        for name in dict.fromkeys(self._faults.values()):
            family = self._kind.faults[name].family
            if not book.is_open(family) or book.blind(family, start):
                continue
            onset = book.episodes[family].finding.onset
            what = partial(self._assess, name, onset, 0.0)
            told = book.judge(family, start, at, calm=True, band=True, cause=partial(str, name), what=what)
            if told is not None:
                found.append(told)
        return found

    def _assess(self, name: str, onset: int, score: float) -> Assessment:
        return Assessment(
            severity=self._kind.faults[name].severity,
            onset=onset,
            onset_low=onset,
            onset_high=onset,
            score=score,
            causes=(Cause(fault=name, probability=1.0),),
        )
