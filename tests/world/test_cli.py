"""`wellkept world`, and how a long list of faults becomes a short one."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stack.cli import app
from stack.world.run import run_many, run_seed
from stack.world.shape import Shape, draw_shape
from stack.world.shrink import shrink


def test_a_world_from_the_command_line() -> None:
    told = CliRunner().invoke(app, ["world", "--seed", "7", "--json"])
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    report = run_seed(7)
    assert found["digest"] == report.digest
    assert found["messages"] == report.account.numbered > 0
    assert found["broken"] == {}


def test_the_trace_is_printed_line_by_line() -> None:
    told = CliRunner().invoke(app, ["world", "--seed", "3", "--trace"])
    assert told.exit_code == 0
    report = run_seed(3, keep=True)
    assert "\n".join(report.lines) in told.stdout
    assert f"digest {report.digest}" in told.stdout


@pytest.mark.long
def test_worlds_of_several_processes_are_the_same_worlds() -> None:
    seeds = range(26)
    assert [r.digest for r in run_many(seeds, 2)] == [r.digest for r in run_many(seeds, 1)]


def test_shrinking_keeps_what_is_needed_and_drops_the_rest() -> None:
    shape = next(s for s in map(draw_shape, range(1_000)) if len(s.faults) == 12 and s.workers == 3)
    needed = {shape.faults[2], shape.faults[9]}

    def breaks(candidate: Shape) -> bool:
        kinds = {(fault.at, fault.kind) for fault in candidate.faults}
        return candidate.workers >= 2 and all((fault.at, fault.kind) in kinds for fault in needed)

    small = shrink(shape, breaks)
    assert {(fault.at, fault.kind) for fault in small.faults} == {(fault.at, fault.kind) for fault in needed}
    assert (small.devices, small.gateways, small.partitions) == (1, 1, 1)
    assert small.workers == shape.workers
    assert all(fault.lasts <= 1_000_000 for fault in small.faults)
