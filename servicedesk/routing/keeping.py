"""What is proposed keeps its window unless moving it is worth something: owners are not asked twice for little."""

from __future__ import annotations

from collections.abc import Mapping

from servicedesk.routing.board import Board
from servicedesk.routing.greedy import fill
from servicedesk.routing.problem import Plan, Problem, Span

WORTH = 900
"""Seconds on the road that moving one proposed visit must save."""


def keep(problem: Problem, plan: Plan, standing: Mapping[str, tuple[str, Span]]) -> Plan:
    """The plan with visits put back where they stand, one after the other, where that costs little.

    Args:
        problem: what was planned.
        plan: of that problem.
        standing: technician and window of the visits that are proposed, by job.
    """
    board = Board(problem)
    for route in plan.routes:
        row = [(board.jobs[stop.job], stop.window) for stop in route.stops]
        if not board.put_all(route.shift, row):
            return plan
    found = plan.stops()
    for name in sorted(standing):
        technician, window = standing[name]
        if name not in found or (found[name][0], found[name][1].window) == (technician, window):
            continue
        job = board.jobs[name]
        board.take(job)
        options = list(board.options(job))
        planned = found[name][0], found[name][1].window
        moved = next((o for o in options if (board.technician(o), o.window) == planned), None)
        back = next((o for o in options if (board.technician(o), o.window) == (technician, window)), None)
        if moved is None:
            return plan
        stays = back is not None and back.detour <= moved.detour + WORTH
        board.put(job, back if back is not None and stays else moved)
    fill(board)
    return board.plan()
