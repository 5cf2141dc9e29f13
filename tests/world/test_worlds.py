"""Worlds of the short tier: promises kept, traces that repeat themselves, and breaches that are found."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from stack.world.faults import KINDS
from stack.world.run import explain, run_many, run_seed, shortest, tally
from stack.world.shape import BANK_EVERY

SEEDS = 200


def assert_kept(first: int, count: int, processes: int) -> None:
    """Run worlds; on a breach say the shortest that shows it."""
    reports = []
    for report in run_many(range(first, first + count), processes):
        if report.broken is not None:
            pytest.fail(f"{explain(shortest(report))}\nreplay it: wellkept world --seed {report.shape.seed} --trace")
        reports.append(report)
    found = tally(reports)
    print(  # noqa: T201  (the figures are wanted)
        f"{found.seeds} worlds, {found.events} events, {found.faults} faults, {found.messages} messages "
        f"({found.stored} stored, {found.dead} dead-lettered, {found.dropped} dropped by full spools, "
        f"{found.gone} gone with their spools), {found.commits} commits, {found.receipts} receipts, "
        f"{found.findings} findings, "
        f"{found.virtual_seconds:.0f} virtual s in {found.cpu_seconds:.1f} s of processor"
    )
    assert found.seeds == count
    # A world in which nothing happens proves nothing.
    assert found.faults > 4 * count
    assert found.messages > 50 * count
    assert found.findings > 5 * count
    assert found.dead > 0
    assert found.dropped > 0
    assert found.gone > 0
    if count >= SEEDS:
        assert set(found.kinds) == set(KINDS)


def test_worlds_keep_their_promises() -> None:
    assert_kept(0, SEEDS, 1)


@pytest.mark.parametrize("seed", [3, 17, BANK_EVERY])
def test_a_seed_is_one_world(seed: int) -> None:
    first, second = run_seed(seed, keep=True), run_seed(seed, keep=True)
    assert first.lines == second.lines
    assert len(first.lines) > 100
    assert first.digest == second.digest == run_seed(seed).digest


def test_a_seed_is_the_same_world_in_every_process() -> None:
    program = "from stack.world.run import run_seed; print([run_seed(seed).digest for seed in (5, 8, 50)])"
    digests = {
        subprocess.run(  # noqa: S603  (our own interpreter)
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for salt in ("0", "4242")
    }
    assert len(digests) == 1
    assert digests.pop() == f"{[run_seed(seed).digest for seed in (5, 8, 50)]}\n"


def test_seeds_are_different_worlds() -> None:
    assert len({run_seed(seed).digest for seed in range(20)}) == 20
