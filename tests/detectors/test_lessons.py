"""Control entries `priors`: what outcomes taught, taken deterministically and kept in the snapshot."""

from __future__ import annotations

from typing import Any

from detectors.engine import DeviceDetector
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Finding
from tests.detectors.streams import KEY, START, catalogue, faulty, fresh


def entry(body: dict[str, Any]) -> ControlEntry:
    return ControlEntry(id="1", device=KEY, kind=ControlKind.PRIORS, at=START, body=body)


def played(detector: DeviceDetector, *bodies: dict[str, Any], cut: int | None = None) -> list[Finding]:
    """Findings of the plug's stream after lessons; with `cut` a fresh detector goes on from a snapshot."""
    for body in bodies:
        assert detector.control(entry(body)) == []
    found: list[Finding] = []
    for n, message in enumerate(faulty("smart_plug")):
        if n == cut:
            state = detector.snapshot()
            detector = fresh("smart_plug")
            detector.restore(state)
        found += detector.observe(message)
    return found


def lessons(threshold: float = 1.0, **causes: float) -> list[dict[str, Any]]:
    families = {fault.family for fault in catalogue()["smart_plug"].faults.values()}
    return [{"family": family, "threshold": threshold, "causes": causes} for family in sorted(families)]


def test_a_lesson_that_says_nothing_changes_nothing() -> None:
    usual = played(fresh("smart_plug"))
    assert usual
    assert played(fresh("smart_plug"), *lessons()) == usual
    strange = {"family": usual[0].family, "threshold": "high"}
    assert played(fresh("smart_plug"), strange, {"family": "no such"}, {}) == usual


def test_a_higher_threshold_opens_later_and_a_restart_keeps_it() -> None:
    usual = played(fresh("smart_plug"))
    slower = played(fresh("smart_plug"), *lessons(2.0))
    assert slower
    assert slower[0].opened > usual[0].opened
    assert played(fresh("smart_plug"), *lessons(2.0), cut=700) == slower


def test_confirmed_causes_move_probabilities() -> None:
    usual = played(fresh("smart_plug"))[0]
    doubted = played(fresh("smart_plug"), *lessons(unknown=3.0))[0]
    before, after = ({cause.fault: cause.probability for cause in found.causes} for found in (usual, doubted))
    assert after["unknown"] > before["unknown"]
    assert doubted.opened == usual.opened
