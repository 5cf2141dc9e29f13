"""A finding: one fault episode of one device and one fault family, as a sequence of revisions."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec

from telemetry.identity import DeviceKey

_NAMESPACE = uuid.UUID("6f6c9f0e-5a6b-5f0e-9c57-0d6c52f4b1a7")


class Health(StrEnum):
    """What the telemetry says of a device. Silence is unknown: never a fault, never healthy."""

    OK = "ok"
    FAULTY = "faulty"
    UNKNOWN = "unknown"


class EpisodeState(StrEnum):
    """Where an episode stands."""

    OPEN = "open"
    ENDED = "ended"


class Proof(StrEnum):
    """Whether a repair is borne out. `proving` from the control entry `repair_done` on."""

    NONE = "none"
    PROVING = "proving"
    PROVEN = "proven"
    FAILED = "failed"


class Cause(msgspec.Struct, frozen=True):
    """A cause considered for an episode.

    Attributes:
        fault: fault id of the catalogue, or `unknown` for the abstain class.
        probability: 0 to 1; all causes of a finding sum to 1.
        reasons: `(feature id, value, usual)` triples that speak for it, strongest first.
    """

    fault: str
    probability: float
    reasons: tuple[tuple[str, float, float], ...] = ()


class Rejected(msgspec.Struct, frozen=True):
    """A cause or confounder that was considered and ruled out.

    Attributes:
        cause: fault or confounder id of the catalogue.
        feature: the feature that speaks against it.
        value: what was measured.
        expected: what that cause would have shown.
    """

    cause: str
    feature: str
    value: float
    expected: float


class Signal(msgspec.Struct, frozen=True):
    """One signal of the evidence window with its expected band; arrays of one length.

    Attributes:
        feature: feature id of the catalogue (gives title and unit).
        t: event times, microseconds.
        value: observed values; None where unknown.
        low: lower edge of the usual band.
        high: upper edge of the usual band.
    """

    feature: str
    t: tuple[int, ...]
    value: tuple[float | None, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of an episode. Times are event times in microseconds.

    Attributes:
        id: fixed by device, family and the reading that opened it; all revisions share it.
        revision: 0 when the episode opens, then counting up.
        family: fault family of the catalogue.
        state: open or ended.
        severity: 1 (stop using) to 4 (information), of the most probable cause.
        opened: event time of the reading at which the episode opened.
        onset: estimate of when the fault began to show.
        onset_low: lower end of the onset's interval.
        onset_high: upper end of the onset's interval.
        observed: event time of the last reading this revision rests on.
        score: calibrated, 0 to 1: 1 minus the p-value of the evidence under "healthy".
        causes: ranked, most probable first; probabilities sum to 1.
        rejected: ruled out, with the measurement that did so.
        evidence: signals with their bands, the leading one first.
        life_low: optimistic-to-pessimistic remaining life: seconds from `observed`, lower end; None when unknown.
        life_high: the upper end.
        detector: name of the detector that decided.
        version: its version.
        history: the last reading was more than a day old when it arrived: no ticket.
        proof: after a repair: in band for the family's `verify` (proven, the episode ends) or out again (failed).
    """

    id: str
    device: DeviceKey
    family: str
    revision: int
    state: EpisodeState
    severity: int
    opened: int
    onset: int
    onset_low: int
    onset_high: int
    observed: int
    score: float
    causes: tuple[Cause, ...]
    rejected: tuple[Rejected, ...] = ()
    evidence: tuple[Signal, ...] = ()
    life_low: float | None = None
    life_high: float | None = None
    detector: str
    version: str
    history: bool = False
    proof: Proof = Proof.NONE


def finding_id(key: DeviceKey, family: str, opened: int, epoch: int) -> str:
    """The id of an episode: the same readings give the same id after any restart."""
    return str(uuid.uuid5(_NAMESPACE, f"{key.org}/{key.device}/{family}/{epoch}/{opened}"))
