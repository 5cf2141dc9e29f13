"""Fault episodes of one device: at most one a family, as a sequence of revisions.

A decision says *that* something is off; this book says which episode it belongs to, when a new revision is
worth telling, and whether a repair is borne out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS
from telemetry.finding import Cause, EpisodeState, Finding, Proof, Rejected, Signal, finding_id
from telemetry.identity import DeviceKey

HOUR = 3600 * MICROS
DAY = 24 * HOUR
_REOPENS = 30 * DAY
_TELL_EVERY = DAY
_TELL_CHANGE = 6 * HOUR
_SLACK = 2 * HOUR
_FAILED_AFTER = 2
_LEAST_LIFE = 1800.0
"""Seconds: an interval of remaining life never closes, nor reaches back."""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a fault at one moment; the fields are those of a Finding."""

    severity: int
    onset: int
    onset_low: int
    onset_high: int
    score: float
    causes: tuple[Cause, ...]
    rejected: tuple[Rejected, ...] = ()
    evidence: tuple[Signal, ...] = ()
    life_low: float | None = None
    life_high: float | None = None


class Episode(msgspec.Struct):
    """The last revision of a family's episode, and what decides its next one.

    Attributes:
        finding: the last revision.
        told: event time of that revision.
        calm: judgements in a row below the exit bound.
        repaired: fleet time of the repair under proof, microseconds.
        good: judgements in band since the repair.
        good_since: event time from which the proof counts.
        bad: judgements in a row out of band since the repair.
    """

    finding: Finding
    told: int
    calm: int = 0
    repaired: int | None = None
    good: int = 0
    good_since: int = 0
    bad: int = 0


Proofs: TypeAlias = "dict[str, tuple[int | None, float | None]]"
"""Of each family how many cycles, or how many microseconds, in band prove a repair."""


def proofs_of(kind: KindSpec) -> Proofs:
    """What proves a repair of each family."""
    return {
        fault.family: (fault.verify.cycles, None if fault.verify.hours is None else fault.verify.hours * HOUR)
        for fault in kind.faults.values()
    }


class Book:
    """Episodes of one device.

    Args:
        key: the device.
        kind: its catalogue page.
        detector: name that findings carry.
        version: version that findings carry.
        exit_after: judgements in a row below the exit bound that end an episode.
        proofs: of `proofs_of(kind)`, where many devices of a kind share them.

    Attributes:
        episodes: the last one of each family.
        mended: fleet time of the last repair of each family, whether it had an episode or its owner alone had noticed.
    """

    __slots__ = ("_detector", "_exit_after", "_key", "_kind", "_proof", "_version", "episodes", "mended")

    def __init__(
        self,
        key: DeviceKey,
        kind: KindSpec,
        detector: str,
        version: str,
        exit_after: int,
        *,
        proofs: Proofs | None = None,
    ) -> None:
        self._key = key
        self._kind = kind
        self._detector = detector
        self._version = version
        self._exit_after = exit_after
        self._proof = proofs_of(kind) if proofs is None else proofs
        self.episodes: dict[str, Episode] = {}
        self.mended: dict[str, int] = {}

    def is_open(self, family: str) -> bool:
        """Whether the family has an episode that has not ended."""
        episode = self.episodes.get(family)
        return episode is not None and episode.finding.state is EpisodeState.OPEN

    def proving(self, family: str) -> bool:
        """Whether a repair of the family waits to be borne out."""
        episode = self.episodes.get(family)
        return episode is not None and episode.finding.proof is Proof.PROVING

    def blind(self, family: str, start: int) -> bool:
        """Whether what began at `start` says nothing of a repair: it began before, or while the appliance recovers."""
        repaired = self.mended.get(family)
        return repaired is not None and start < repaired + (_SLACK if self._proof[family][0] is None else 0)

    def open(self, family: str, epoch: int, at: int, what: Assessment) -> Finding:
        """Open an episode, or reopen the last one when it ended less than 30 days ago."""
        last = self.episodes.get(family)
        if last is not None and last.finding.state is EpisodeState.ENDED and at - last.told <= _REOPENS:
            proof = Proof.FAILED if last.finding.proof is Proof.PROVEN else last.finding.proof
            last.calm = 0
            last.repaired = None
            return self._revise(last, at, what, state=EpisodeState.OPEN, proof=proof)
        finding = Finding(
            id=finding_id(self._key, family, at, epoch),
            device=self._key,
            family=family,
            revision=0,
            state=EpisodeState.OPEN,
            opened=at,
            observed=at,
            detector=self._detector,
            version=self._version,
            **_fields(what),
        )
        self.episodes[family] = Episode(finding, at)
        return finding

    def judge(
        self,
        family: str,
        start: int,
        at: int,
        *,
        calm: bool,
        band: bool,
        cause: Callable[[], str],
        what: Callable[[], Assessment],
    ) -> Finding | None:
        """One judgement of an open episode.

        Args:
            family: whose episode.
            start: when what was judged began; before a repair it says nothing about it.
            at: when it ended.
            calm: below the exit bound.
            band: in band, as a proof asks for.
            cause: names the most probable cause, asked only when a revision may be due.
            what: makes the state of knowledge, asked only when one is told.

        Returns:
            A revision when there is something to tell.
        """
        episode = self.episodes[family]
        if episode.repaired is not None:
            return self._prove(family, episode, start, at, band=band, what=what)
        episode.calm = episode.calm + 1 if calm else 0
        if episode.calm >= self._exit_after:
            return self._revise(episode, at, what(), state=EpisodeState.ENDED)
        since = at - episode.told
        if since < _TELL_CHANGE:
            return None
        due = since >= _TELL_EVERY or _differs(episode.finding, cause())
        return self._revise(episode, at, what()) if due else None

    def repaired(self, family: str, at: int) -> list[Finding] | None:
        """A repair was reported: the family's episode is under proof from here on.

        Returns:
            The episode's next revision; nothing where the family has no episode, because the owner alone had noticed;
            None for a repeat, which says nothing new.
        """
        if family not in self._proof or at <= self.mended.get(family, -1):
            return None
        self.mended[family] = at
        episode = self.episodes.get(family)
        if episode is None:
            return []
        episode.repaired = at
        episode.good = episode.bad = episode.calm = 0
        episode.good_since = 0
        finding = episode.finding
        told = msgspec.structs.replace(
            finding,
            revision=finding.revision + 1,
            state=EpisodeState.OPEN,
            proof=Proof.PROVING,
            # It rests on the entry, not on a reading, and must not count as old because the last reading is.
            observed=max(finding.observed, at),
        )
        episode.finding = told
        return [told]

    def learned(
        self, family: str, at: int, severity: int, causes: tuple[Cause, ...], rejected: tuple[Rejected, ...]
    ) -> Finding:
        """Something other than readings tells the causes of an open episode apart: the appliance's own test."""
        episode = self.episodes[family]
        last = episode.finding
        # As with a repair, it rests on the entry; what remains of the life ends when it did before.
        later = max(0, at - last.observed)
        episode.finding = msgspec.structs.replace(
            last,
            revision=last.revision + 1,
            severity=severity,
            causes=causes,
            rejected=rejected,
            observed=last.observed + later,
            life_low=_sooner(last.life_low, later, _LEAST_LIFE),
            life_high=_sooner(last.life_high, later, 2 * _LEAST_LIFE),
        )
        return episode.finding

    def fail(self, family: str, at: int, what: Assessment) -> Finding:
        """The repair under proof did not help."""
        episode = self.episodes[family]
        episode.repaired = None
        return self._revise(episode, at, what, proof=Proof.FAILED)

    def _prove(
        self, family: str, episode: Episode, start: int, at: int, *, band: bool, what: Callable[[], Assessment]
    ) -> Finding | None:
        if not band:
            episode.good = episode.good_since = 0
            episode.bad += 1
            if episode.bad < _FAILED_AFTER:
                return None
            return self.fail(family, at, what())
        episode.bad = 0
        episode.good += 1
        if episode.good == 1:
            episode.good_since = start
        cycles, hours = self._proof[family]
        if (cycles is not None and episode.good < cycles) or (hours is not None and at - episode.good_since < hours):
            return None
        episode.repaired = None
        return self._revise(episode, at, what(), state=EpisodeState.ENDED, proof=Proof.PROVEN)

    def _revise(
        self,
        episode: Episode,
        at: int,
        what: Assessment,
        *,
        state: EpisodeState | None = None,
        proof: Proof | None = None,
    ) -> Finding:
        last = episode.finding
        # The causes and the onset are those of the fault; once it is gone the readings no longer speak of them.
        ending = state is EpisodeState.ENDED
        kept = Assessment(
            severity=last.severity,
            onset=last.onset,
            onset_low=last.onset_low,
            onset_high=last.onset_high,
            score=what.score,
            causes=last.causes,
            rejected=last.rejected,
            evidence=what.evidence,
        )
        episode.finding = msgspec.structs.replace(
            last,
            revision=last.revision + 1,
            state=last.state if state is None else state,
            proof=last.proof if proof is None else proof,
            observed=at,
            **_fields(kept if ending else what),
        )
        episode.told = at
        return episode.finding


def _fields(what: Assessment) -> dict[str, Any]:
    return {name: getattr(what, name) for name in what.__struct_fields__}


def _sooner(seconds: float | None, by: int, least: float) -> float | None:
    """What is left of some seconds after a while in microseconds."""
    return None if seconds is None else max(least, seconds - by / MICROS)


def _differs(last: Finding, cause: str) -> bool:
    """Whether the most probable cause, and with it what a visit must bring, changed."""
    return cause not in {last.causes[0].fault, "unknown"}
