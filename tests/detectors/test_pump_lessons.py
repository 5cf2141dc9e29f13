"""What outcomes taught, for a pump: more evidence asked for, causes weighted anew, kept in the snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import Finding
from tests.detectors.streams import KEY, START, faulty, fresh


def played(*bodies: dict[str, Any], cut: int | None = None) -> list[Finding]:
    """Findings of the pump's stream after lessons; with `cut` a fresh detector goes on from a snapshot."""
    detector = fresh("pump")
    for body in bodies:
        assert detector.control(ControlEntry(id="1", device=KEY, kind=ControlKind.PRIORS, at=START, body=body)) == []
    found: list[Finding] = []
    for n, message in enumerate(faulty("pump")):
        if n == cut:
            state = detector.snapshot()
            detector = fresh("pump")
            detector.restore(state)
        found += detector.observe(message)
    return found


def test_more_evidence_opens_later_and_a_restart_keeps_it() -> None:
    usual = played()
    slower = played({"family": "hydraulics", "threshold": 4.0})
    sooner = played({"family": "hydraulics", "threshold": 0.5})
    assert sooner[0].opened < usual[0].opened < slower[0].opened
    assert played({"family": "hydraulics", "threshold": 4.0}, cut=3) == slower
    assert played({"family": "hydraulics", "threshold": 4.0}, cut=9) == slower


def test_what_is_no_lesson_on_it_changes_nothing() -> None:
    usual = played()
    assert played({"family": "hydraulics"}, {"family": "other", "threshold": 4.0}, {"threshold": "high"}, {}) == usual


def test_confirmed_causes_move_probabilities() -> None:
    doubted = played({"family": "hydraulics", "causes": {"unknown": 4.0}}, {"family": "none"})[0]
    assert [cause.probability for cause in doubted.causes] == pytest.approx([0.5, 0.5])
    assert doubted.opened == played()[0].opened
