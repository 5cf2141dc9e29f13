"""Detectors that keep what they see decide to the last bit as those that do not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from detectors.bank import Bank
from detectors.engine import DeviceDetector, Observation, Observed
from detectors.tracing.bank import SHARE, TracingBank
from detectors.tracing.cyclic import COHORT, OWN
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS
from telemetry.finding import Finding
from telemetry.identity import DeviceKey
from tests.detectors.streams import faulty

KEY = DeviceKey("demo", "one")
CATALOGUE = load_catalogue()


def found(bank: Bank, detector: DeviceDetector, stream: Sequence[Observation]) -> list[Finding]:
    told: list[Finding] = []
    for observation in stream:
        answers: list[Observed] = bank.observe([(detector, observation)])
        assert not isinstance(answers[0], Exception)
        told += answers[0]
    return told


@pytest.mark.parametrize("kind", ["smart_plug", "pump", pytest.param("washing_machine", marks=pytest.mark.long)])
def test_traced_detectors_decide_alike(kind: str) -> None:
    stream = faulty(kind)
    plain, traced = Bank(CATALOGUE), TracingBank(CATALOGUE)
    assert plain.version == traced.version
    one, other = plain(KEY, CATALOGUE[kind]), traced(KEY, CATALOGUE[kind])
    told = found(plain, one, stream)
    assert found(traced, other, stream) == told
    assert told
    assert one.snapshot() == other.snapshot()
    first, record = told[0], traced.records[KEY]
    score = SHARE if kind == "pump" else OWN
    columns = record.plain()
    assert columns["judged"] == record.judged > 0
    opened = next(i for i, at in enumerate(columns["t"]) if at >= first.opened)
    bounds = columns["scores"][first.family]
    near = [v for v in bounds[score]["value"][max(0, opened - 2) : opened + 2] if v is not None]
    cohort = bounds.get(COHORT)
    crossed = max(near) >= bounds[score]["opens"] * 0.9
    assert crossed or (cohort is not None and cohort["value"][opened] >= cohort["opens"])
    if kind != "pump":
        assert set(columns["features"]) <= set(CATALOGUE[kind].features)
        assert traced.learned(KEY) is not None
    # What was seen up to a moment holds nothing of later.
    assert all(at <= first.opened for at in record.plain(until=first.opened)["t"])
    assert len(record.plain(until=first.opened - 3_600 * MICROS)["t"]) < len(columns["t"])
