"""Runs worlds by the number, in as many processes as there are processors, and says what they amount to."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context

import structlog

from stack.world.shape import Shape, draw_shape
from stack.world.shrink import shrink
from stack.world.world import Parts, Report, World
from telemetry.clock import MICROS

_CHUNK = 25


@dataclass(slots=True)
class Tally:
    """What many worlds amount to; `broken` names the seeds that broke a promise, with the sentence."""

    seeds: int = 0
    events: int = 0
    faults: int = 0
    messages: int = 0
    stored: int = 0
    dead: int = 0
    dropped: int = 0
    gone: int = 0
    findings: int = 0
    commits: int = 0
    receipts: int = 0
    virtual_seconds: float = 0.0
    cpu_seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """Count one world."""
        account = report.account
        self.seeds += 1
        self.events += report.events
        self.faults += len(report.shape.faults)
        self.kinds.update(fault.kind for fault in report.shape.faults)
        self.messages += account.numbered
        self.stored += account.stored
        self.dead += account.dead
        self.dropped += account.lost
        self.gone += account.gone
        self.findings += account.findings
        self.commits += report.commits
        self.receipts += report.receipts
        self.virtual_seconds += report.virtual
        self.cpu_seconds += report.cpu
        if report.broken is not None:
            self.broken[report.shape.seed] = str(report.broken)


def run_seed(seed: int, parts: Parts | None = None, *, keep: bool = False) -> Report:
    """One world."""
    return run_shape(draw_shape(seed), parts, keep=keep)


def run_shape(shape: Shape, parts: Parts | None = None, *, keep: bool = False) -> Report:
    """One world of a given shape; the product's logging is silent meanwhile."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=False
    )
    try:
        return World(shape, parts, keep=keep).run()
    finally:
        structlog.configure(**before)


def run_many(seeds: Sequence[int], processes: int | None = None) -> Iterator[Report]:
    """Worlds in order of their seeds.

    Args:
        seeds: which.
        processes: 1 runs them here; by default one a processor.
    """
    processes = processes or os.cpu_count() or 1
    if processes == 1 or len(seeds) <= _CHUNK:
        yield from map(run_seed, seeds)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run_seed, seeds, chunksize=_CHUNK)


def tally(reports: Iterable[Report]) -> Tally:
    """Count them."""
    found = Tally()
    for report in reports:
        found.add(report)
    return found


def shortest(report: Report, parts: Parts | None = None) -> Report:
    """The shortest world found that breaks the same promise, with its trace."""
    if report.broken is None:
        raise ValueError(f"seed {report.shape.seed} breaks nothing")
    small = shrink(report.shape, partial(_breaks, report.broken.rule, parts))
    return run_shape(small, parts, keep=True)


def explain(report: Report, lines: int = 60) -> str:
    """What went wrong, the faults that are needed for it, and the end of the trace."""
    shape = report.shape
    world = (
        f"{shape.gateways} gateways of {shape.devices} devices, {shape.workers} workers, "
        f"{shape.partitions} partitions; {shape.span / MICROS:g} s, the fleet clock at {shape.speed:g}; "
        f"broker {'durable' if shape.durable else 'forgetful'} with a window of {shape.window}"
    )
    head = [
        f"seed {shape.seed}: {report.broken}",
        world,
        f"{len(shape.faults)} faults:",
        *(f"  {fault}" for fault in shape.faults),
        f"the last {min(lines, len(report.lines))} of {len(report.lines)} lines of the trace:",
    ]
    return "\n".join([*head, *(f"  {line}" for line in report.lines[-lines:])])


def _breaks(rule: str, parts: Parts | None, shape: Shape) -> bool:
    broken = run_shape(shape, parts).broken
    return broken is not None and broken.rule == rule
