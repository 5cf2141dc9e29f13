"""What is handed to a site and back: its plan at the begin, what came of each step, and what it has seen at the end."""

from __future__ import annotations

import msgspec

from firmware_sim.scenario import Scenario
from firmware_sim.wear import Fault
from stack.trial.asking import Answered
from stack.trial.record import DailyPeaks
from storage.registry import DeviceRow
from storage.telemetry_rows import FirmwareSpell
from telemetry.cohort import CohortSummary
from telemetry.finding import Finding


class SitePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a site is made of.

    Attributes:
        number: of the site.
        scenario: of the fleet.
        seed: of the fleet.
        start: of the fleet.
        rows: its devices as they are registered; `no` is the number in the fleet plus one.
        control: whether the same devices also live without the product.
    """

    number: int
    scenario: Scenario
    seed: int
    start: int
    rows: tuple[DeviceRow, ...]
    control: bool


class Reported(msgspec.Struct, frozen=True, gc=False):
    """A revision on its way to the desk, without its curves; and when its last reading arrived."""

    no: int
    arrival: int
    finding: Finding


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a step.

    Attributes:
        findings: in the order of their devices' observations.
        failed: faults that stop their appliance since the step before.
        answers: of self-tests.
        firmware: what devices that said something new have said of their firmware, as the worker keeps it.
        summaries: what devices tell of themselves, by number, with the arrival of what it rests on.
    """

    findings: list[Reported]
    failed: list[Fault]
    answers: list[Answered] = []
    firmware: list[FirmwareSpell] = []
    summaries: dict[int, tuple[CohortSummary, int]] = {}


class Counts(msgspec.Struct, kw_only=True):
    """What a site has seen since its start; see `TrialRecord`."""

    messages: int = 0
    readings: int = 0
    duplicates: int = 0
    lost: int = 0
    dead: dict[str, int] = {}
    errors: int = 0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a site hands in at the end.

    Attributes:
        counts: of its messages.
        truth: every fault that has begun.
        control: likewise, in the control fleet.
        peaks: of the control fleet.
    """

    counts: Counts
    truth: list[Fault]
    control: list[Fault]
    peaks: list[DailyPeaks]
