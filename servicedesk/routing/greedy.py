"""The baseline: one visit after the other, each where it costs least travel."""

from __future__ import annotations

from dataclasses import dataclass

from servicedesk.routing.board import Board
from servicedesk.routing.problem import Job, Plan, Problem


@dataclass(frozen=True, slots=True)
class GreedyPlanner:
    """Cheapest insertion: confirmed visits first, then by weight and tier, then those with the fewest windows."""

    def plan(self, problem: Problem) -> Plan:
        """See `servicedesk.routing.problem.Planner`."""
        board = Board(problem)
        fill(board)
        return board.plan()


def fill(board: Board) -> None:
    """Enter every visit that still finds a place."""
    for job in sorted(board.problem.jobs, key=_order):
        if not board.has(job.id):
            best = min(board.options(job), default=None)
            if best is not None:
                board.put(job, best)


def _order(job: Job) -> tuple[bool, int, int, int, str]:
    return not job.pinned, -job.weight, job.tier, len(job.windows), job.id
