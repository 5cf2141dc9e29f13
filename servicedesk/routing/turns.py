"""Whose turn it is: nobody is left out while somebody with a later turn has a window that would do.

A planner weighs visits against each other as a sum, in which some light ones may outweigh a heavy one. Turns are no
sum: by weight, and among equals by tier. Who is left out takes the place of one whose turn is later; where safety is
at stake, of as many as are in the way.
"""

from __future__ import annotations

from servicedesk.routing.board import Board
from servicedesk.routing.greedy import fill
from servicedesk.routing.problem import SAFETY, Job, Plan, Problem, Span

Turn = tuple[int, int]


def turn_of(job: Job) -> Turn:
    """Lower is earlier."""
    return -job.weight, job.tier


def in_turn(problem: Problem, plan: Plan) -> Plan:
    """The plan in which those with an earlier turn have taken the places of those with a later one.

    Args:
        problem: what was planned.
        plan: of that problem; visits that were confirmed keep their places.

    Returns:
        A plan of the same problem that keeps every constraint; the same plan when no turn was passed over.
    """
    jobs = {job.id: job for job in problem.jobs}
    left = sorted((jobs[each.job] for each in plan.unserved if jobs[each.job].windows), key=_order)
    places = {name: stop.window for name, (_, stop) in plan.stops().items()}
    if not left or not any(_gives_way(jobs[name], left[0]) for name in places):
        return plan
    board = Board(problem)
    for route in plan.routes:
        if not board.put_all(route.shift, [(jobs[stop.job], stop.window) for stop in route.stops]):
            return plan
    changed = False
    for job in left:
        changed = _take_a_place(board, job, places) or changed
    if not changed:
        return plan
    fill(board)
    return board.plan()


def _take_a_place(board: Board, job: Job, places: dict[str, Span]) -> bool:
    """Put a visit where one with a later turn was, the latest turn first; what was there is left for the filling."""
    later = sorted((each for name in places if _gives_way(each := board.jobs[name], job)), key=_order, reverse=True)
    for other in later:
        window = places[other.id]
        if not _meets(job, window):
            continue
        before = board.take(other)
        best = min(board.options(job), default=None)
        if best is not None:
            board.put(job, best)
            del places[other.id]
            places[job.id] = best.window
            return True
        board.put(other, before)
    return job.weight >= SAFETY and _clear(board, job, later, places)


def _clear(board: Board, job: Job, later: list[Job], places: dict[str, Span]) -> bool:
    """Take everybody with a later turn away; who can stay beside the visit is put back, the earliest turn first."""
    gone = [(each, board.take(each)) for each in later]
    best = min(board.options(job), default=None)
    if best is not None:
        board.put(job, best)
        places[job.id] = best.window
    for each, before in reversed(gone):
        if board.fits(each, before):
            board.put(each, before)
        else:
            del places[each.id]
    return best is not None


def _gives_way(other: Job, job: Job) -> bool:
    return not other.pinned and turn_of(other) > turn_of(job)


def _meets(job: Job, window: Span) -> bool:
    """Whether a place is at a time at which the visit could be: its own windows, or those of the same day's way."""
    return any(each.start < window.end + _NEAR and window.start < each.end + _NEAR for each in job.windows)


def _order(job: Job) -> tuple[int, int, str]:
    return *turn_of(job), job.id


_NEAR = 4 * 3600
"""Seconds within which one visit can be in another one's way."""
