"""`wellkept bench planner`: visits served, travel, time and broken constraints of plans, beside the best known."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from servicedesk.routing.check import violations
from servicedesk.routing.greedy import GreedyPlanner
from servicedesk.routing.problem import Plan, Problem
from servicedesk.routing.vroom_planner import VroomPlanner
from stack.planner_instances import Size, bound, instance

_SEARCHES = (0, 1, 2, 3)
_THOROUGH = 5


@dataclass(frozen=True, slots=True)
class Bench:
    """What to measure.

    Attributes:
        size: of each problem.
        seeds: one problem for each.
        thorough: search for a better plan at the highest exploration too, minutes long.
    """

    size: Size
    seeds: Sequence[int]
    thorough: bool = False


def bench_planner(bench: Bench, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """A row for each seed.

    `best_served` is the most that any search found: the baseline, VROOM at every exploration. Where the plan serves
    all visits that some technician could do if there were no others (`at_most`), no search can find more.
    """
    found = []
    for seed in bench.seeds:
        tell(f"seed {seed}: {bench.size.visits} visits, {bench.size.technicians} technicians, {bench.size.days} days")
        found.append(_one(instance(bench.size, seed), seed, bench, tell))
    return found


def _one(problem: Problem, seed: int, bench: Bench, tell: Callable[[str], None]) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    plan = VroomPlanner().plan(problem)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    tell(f"  {plan.served} served in {wall:.2f} s")
    wrong = violations(problem, plan)
    for line in wrong:
        tell(f"  broken: {line}")
    greedy, most = GreedyPlanner().plan(problem), bound(problem)
    best = max(plan.served, greedy.served)
    levels = (*_SEARCHES, _THOROUGH) if bench.thorough else _SEARCHES
    for level in levels if best < most else ():
        other = VroomPlanner(level).plan(problem)
        best = max(best, other.served)
        tell(f"  exploration {level}: {other.served} served")
    return {
        "seed": seed,
        "visits": bench.size.visits,
        "technicians": bench.size.technicians,
        "days": bench.size.days,
        "served": plan.served,
        "of": len(problem.jobs),
        "best_served": best,
        "at_most": most,
        "share_of_best": round(plan.served / best, 4) if best else 1.0,
        "travel_min": round(plan.travel / 60),
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "violations": len(wrong),
        "repeatable": _digest(plan) == _digest(VroomPlanner(threads=1).plan(_shuffled(problem))),
        "confirmed": sum(job.pinned for job in problem.jobs),
        "unserved": dict(sorted(Counter(str(each.blocking) for each in plan.unserved).items())),
        "greedy_served": greedy.served,
        "greedy_travel_min": round(greedy.travel / 60),
        "digest": _digest(plan),
    }


def _shuffled(problem: Problem) -> Problem:
    """The same problem with its rows in another order."""
    rng = random.Random(1)  # noqa: S311  (no secret)
    return replace(
        problem,
        jobs=tuple(rng.sample(problem.jobs, len(problem.jobs))),
        shifts=tuple(rng.sample(problem.shifts, len(problem.shifts))),
    )


def _digest(plan: Plan) -> str:
    return hashlib.sha256(repr(plan).encode()).hexdigest()[:12]
