"""The simulation can fail: each deliberately broken part is found within a few seeds, by a promise that it breaks."""

from __future__ import annotations

import pytest

from stack.world.run import explain, run_seed, shortest
from stack.world.world import Parts, Report
from tests.world import broken

_SEEDS = 60
_NEAR = {
    "position without comparing": 54,
    "stale acknowledgements after a reconnect": 10,
    "block ids that come again": 17,
    "memory kept after a doubtful commit": 15,
    "a receipt of another epoch": 26,
    "the new stream read from the old position": 7,
}
"""Where the search begins, to be quick; when the world has changed it goes on from there."""
CASES = {
    "receipt before commit": (Parts(worker=broken.ReceiptsBeforeCommit), {"receipt-before-commit"}),
    "position without comparing": (
        Parts(store=broken.AnyPosition),
        {"position-went-back", "two-owners", "stored-twice"},
    ),
    "acknowledged before the stream has it": (
        Parts(ingest=broken.HastyAcknowledgements),
        {"acknowledged-before-stream"},
    ),
    "stale acknowledgements after a reconnect": (
        Parts(ingest=broken.StaleAcknowledgements),
        {"acknowledged-before-stream"},
    ),
    "block ids that come again": (Parts(ingest=broken.RepeatedBlockIds), {"acknowledged-before-stream"}),
    "memory kept after a doubtful commit": (
        Parts(worker=broken.KeepsItsMemory),
        {"receipt-before-commit", "never-quiet", "lost", "findings", "two-owners", "deleted-without-receipt"},
    ),
    "a publish taken for a receipt": (Parts(gateway=broken.FireAndForget), {"deleted-without-receipt"}),
    "a receipt of another epoch": (Parts(gateway=broken.ReceiptsOfAnyEpoch), {"deleted-without-receipt"}),
    "the new stream read from the old position": (Parts(worker=broken.SkipsTheNewStream), {"passed-over"}),
    "progress forgotten": (Parts(store=broken.ForgetsProgress), {"stored-twice", "buried-twice", "gap", "findings"}),
    "snapshots misplaced": (Parts(store=broken.MisplacedSnapshots), {"findings", "health"}),
    "entries passed over": (Parts(worker=broken.LosesEntries), {"passed-over"}),
}


def first_breach(name: str) -> Report:
    parts, near = CASES[name][0], _NEAR.get(name, 1)
    for seed in range(near, near + _SEEDS):
        report = run_seed(seed, parts)
        if report.broken is not None:
            return report
    raise AssertionError(f"not found in {_SEEDS} seeds")


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_is_found(name: str) -> None:
    rules = CASES[name][1]
    report = first_breach(name)
    assert report.broken is not None
    assert report.broken.rule in rules, str(report.broken)


def test_the_shortest_world_keeps_the_breach_and_little_else() -> None:
    name = "block ids that come again"
    parts, found = CASES[name][0], first_breach(name)
    assert len(found.shape.faults) > 2
    small = shortest(found, parts)
    assert small.broken is not None
    assert found.broken is not None
    assert small.broken.rule == found.broken.rule
    assert len(small.shape.faults) <= 2
    assert small.shape.span <= found.shape.span
    said = explain(small)
    assert f"seed {found.shape.seed}: acknowledged-before-stream" in said
    assert "auditor" in said.splitlines()[-1]
