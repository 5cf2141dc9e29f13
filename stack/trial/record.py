"""What a trial leaves behind: everything a score needs, as frozen values in one order; the same seed, the same bytes.

All times are fleet time in microseconds. What ran how fast is not in here: it differs from machine to machine.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

VERSION = 1
_LARGEST = 6e4


class CauseRecord(msgspec.Struct, frozen=True):
    """A cause that a finding named.

    Attributes:
        fault: id of the catalogue, or `unknown`.
        probability: 0 to 1.
        reasons: what speaks for it, strongest first: feature, value, what is usual.
    """

    fault: str
    probability: float
    reasons: tuple[tuple[str, float, float], ...] = ()


class DeviceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the fleet; `device` is `org/device` here and everywhere."""

    device: str
    kind: str
    model: str


class EpisodeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A finding from its first revision to its last, whether or not it became a ticket.

    Attributes:
        id: of the finding.
        device: whose.
        family: fault family of the catalogue.
        opened: event time of the reading at which it opened.
        told: when the desk heard of it.
        onset: estimate at opening.
        severity: the worst of all revisions; 1 is worst.
        score: the highest of all revisions.
        revisions: how many.
        ended: event time of the reading at which it ended, or None.
        history: its readings came too late for a ticket.
        ticket: reference of the ticket it opened or reopened, or None.
    """

    id: str
    device: str
    family: str
    opened: int
    told: int
    onset: int
    severity: int
    score: float
    revisions: int
    ended: int | None = None
    history: bool = False
    ticket: str | None = None


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket; what telemetry said of it is what it said when the ticket opened, `answered` apart.

    Attributes:
        ref: of the ticket.
        device: whose.
        kind: of appliance.
        model: of appliance.
        family: fault family of the catalogue.
        severity: at opening; 1 (stop using) to 4 (information).
        opened: when.
        source: `telemetry`, or `owner` when a person reported it.
        safety: whether safety opened it.
        onset: estimate of when the fault began to show; None for a ticket that an owner opened.
        causes: ranked, most probable first.
        answered: likewise, with the answer of the appliance's own test in mind; empty when it was not asked, or its
            answer said nothing.
        rejected: ids of faults and confounders that were ruled out.
        life_low: pessimistic end of the remaining life, as a moment; None when unknown.
        life_high: its optimistic end, likewise.
        score: calibrated, 0 to 1; None for a ticket that an owner opened.
        detector: who decided, or empty.
        state: at the end of the trial.
        visits: ids of its visits, in order.
        outcome: code of the last visit that was finished, or None.
        cause: what its technician confirmed: a fault id, or None.
        confirmed: when the owner first agreed to a visit, or None.
        done: when it was last repaired, or None.
        verified: when telemetry last bore the repair out, or None.
        reopened: each time it was reopened.
        closed: when it ended, or None.
        cancelled: the reason, when it was cancelled.
        self_fixed: when the owner had mended it without a visit, or None.
        complaints: of the owner.
    """

    ref: str
    device: str
    kind: str
    model: str
    family: str
    severity: int
    opened: int
    source: str = "telemetry"
    safety: bool = False
    onset: int | None = None
    causes: tuple[CauseRecord, ...] = ()
    answered: tuple[CauseRecord, ...] = ()
    rejected: tuple[str, ...] = ()
    life_low: int | None = None
    life_high: int | None = None
    score: float | None = None
    detector: str = ""
    state: str = ""
    visits: tuple[str, ...] = ()
    outcome: str | None = None
    cause: str | None = None
    confirmed: int | None = None
    done: int | None = None
    verified: int | None = None
    reopened: tuple[int, ...] = ()
    closed: int | None = None
    cancelled: str | None = None
    self_fixed: int | None = None
    complaints: int = 0


class FaultRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A fault of the truth.

    Attributes:
        device: whose.
        kind: of appliance.
        model: of appliance.
        family: fault family of the catalogue.
        fault: fault id of the catalogue.
        severity: of the catalogue.
        onset: when it began.
        failure: when it stops the appliance, or would have.
        repaired: when it was mended, or None.
        by: `visit` (a ticket's visit that was planned before the breakdown was reported), `breakdown` (a visit to an
            appliance that its owner reported broken), `self_fix`, or `none`.
        reported: when its owner reported the appliance broken, or None.
        visits: ids of the visits to it, whatever their outcome.
    """

    device: str
    kind: str
    model: str
    family: str
    fault: str
    severity: int
    onset: int
    failure: int
    repaired: int | None = None
    by: str = "none"
    reported: int | None = None
    visits: tuple[str, ...] = ()


class VisitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that was proposed, whatever became of it.

    Attributes:
        id: `V1`, `V2`, … by proposal.
        ticket: its ticket's reference.
        device: whose appliance.
        proposed: when.
        start: of the window.
        end: of the window.
        technician: name.
        state: at the end of the trial.
        confirmed: when the owner agreed, or None.
        arrived: when the technician stood at the door, or None.
        finished: when the outcome was reported, or None.
        travel_minutes: there and back, 0 when nobody set off.
        work_minutes: on site.
        outcome: `repaired`, `badly` (reported as repaired, and the fault comes back), `wrong_part`, `no_fault_found`
            or `not_repaired`; None when it did not come to that.
        cause: fault id that the technician named, or None.
        parts: SKUs that were fitted.
        reactive: whether it goes to an appliance that its owner reported broken.
        free: whether the owner pays no call-out fee for it.
    """

    id: str
    ticket: str
    device: str
    proposed: int
    start: int
    end: int
    technician: str
    state: str
    confirmed: int | None = None
    arrived: int | None = None
    finished: int | None = None
    travel_minutes: float = 0.0
    work_minutes: float = 0.0
    outcome: str | None = None
    cause: str | None = None
    parts: tuple[str, ...] = ()
    reactive: bool = False
    free: bool = False


class ConfounderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Something innocent that happened to a device."""

    device: str
    confounder: str
    begin: int
    end: int


class DailyPeaks(msgspec.Struct, frozen=True, kw_only=True):
    """The largest deviation of each channel on each day, in the control fleet: what plain thresholds would see.

    A channel's readings are compared with an exponentially weighted mean and spread of that channel alone, whatever
    phase the appliance is in; the first days, in which these are learnt, are 0.

    Attributes:
        kind: of appliance.
        devices: their names, in order.
        channels: their names, in order.
        days: how many, from the trial's start.
        z: half-precision little-endian floats, shape (devices, days, channels), in C order; see `values`.
    """

    kind: str
    devices: tuple[str, ...]
    channels: tuple[str, ...]
    days: int
    z: bytes

    def values(self) -> NDArray[np.float32]:
        """Largest |z|, shape (devices, days, channels)."""
        shape = (len(self.devices), self.days, len(self.channels))
        return np.frombuffer(self.z, dtype="<f2").astype(np.float32).reshape(shape)

    @classmethod
    def of(
        cls, kind: str, devices: tuple[str, ...], channels: tuple[str, ...], values: NDArray[np.floating]
    ) -> DailyPeaks:
        """From values of shape (devices, days, channels)."""
        packed = np.minimum(np.nan_to_num(values), _LARGEST).astype("<f2").tobytes()
        return cls(kind=kind, devices=devices, channels=channels, days=values.shape[1], z=packed)


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A whole trial.

    Attributes:
        scenario: permanent id.
        seed: of fleet, wire and people.
        start: of the fleet.
        end: of the trial.
        days: between them.
        devices: of the fleet, by their number in it.
        device_days: how many.
        faults: all that began, by onset and device.
        tickets: by reference.
        visits: by id.
        episodes: by when the desk heard of them.
        confounders: by begin and device.
        control: faults of the control fleet: the same fleet without the product. Nobody comes before an appliance
            has failed; then it is mended after the scenario's time to an appointment.
        peaks: of the control fleet, by kind.
        messages: stored, each once.
        readings: in them.
        duplicates: messages that came again.
        lost: messages that never came, as declared.
        dead_letters: by reason.
        detector_errors: devices whose detectors failed.
        notices: to owners.
        promises: by service level, how many were kept in time and how many broken, of those that are decided.
        version: of this form.
    """

    scenario: str
    seed: int
    start: int
    end: int
    days: int
    devices: tuple[DeviceRecord, ...]
    device_days: float
    faults: tuple[FaultRecord, ...] = ()
    tickets: tuple[TicketRecord, ...] = ()
    visits: tuple[VisitRecord, ...] = ()
    episodes: tuple[EpisodeRecord, ...] = ()
    confounders: tuple[ConfounderRecord, ...] = ()
    control: tuple[FaultRecord, ...] = ()
    peaks: tuple[DailyPeaks, ...] = ()
    messages: int = 0
    readings: int = 0
    duplicates: int = 0
    lost: int = 0
    dead_letters: dict[str, int] = {}
    detector_errors: int = 0
    notices: int = 0
    promises: dict[str, tuple[int, int]] = {}
    version: int = VERSION

    def encode(self) -> bytes:
        """As JSON, on one line; equal trials give equal bytes."""
        return msgspec.json.encode(self, order="deterministic") + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> TrialRecord:
        """Read what `encode` wrote.

        Raises:
            msgspec.ValidationError: it is something else.
        """
        return msgspec.json.decode(data, type=cls)
