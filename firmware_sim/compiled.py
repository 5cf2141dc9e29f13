"""The physics of a kind, compiled for one appliance at a time together with the loop over its steps.

A physics is written once, for arrays of appliances. Its formulas are elementwise, so the same source describes one
appliance: with numpy's functions replaced by those of one number (`firmware_sim.scalar`) and its dataclasses by tuples,
numba compiles it, without `fastmath`. Parameters, drives and jobs are records, whose fields are read by name. The
machine code is kept on disk under a hash of all these sources: numba's own cache watches one file only and would not
notice that a physics has changed.
"""

from __future__ import annotations

import hashlib
import sys
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from firmware_sim import physics as kinds
from firmware_sim import scalar
from firmware_sim.physics import physics_of, simulated_kinds
from firmware_sim.physics.base import ContinuousPhysics, Drive, Floats, Ints, Job, ProgrammePhysics, gather

_Records = NDArray[np.void]
_Jit = Callable[[Callable[..., Any]], Callable[..., None]]
_ALONE: _Jit = njit(error_model="numpy")
_KEPT: _Jit = njit(cache=True, error_model="numpy")
_WITHIN: Any = njit(  # type: ignore[call-overload]  # two documented options that its stubs leave out
    error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
)
"""Called by compiled code only: it needs no way in from Python, which takes a sixth of the time to compile."""

_CONTINUOUS = """
def make(stamp):
    def run(p, state, d, seconds, rows, codes):
        stamp
        for i in range(len(p)):
            unit, s = p[i], state[i]
            for k in range(len(rows)):
                around = d[k, i]
                now = next_state(unit, State({state}), around, seconds)
                {keep}
                seen = output(unit, now, around)
                {read}
                codes[k, i] = phase(unit, now)
    return run
"""
_PROGRAMME = """
def make(stamp):
    def run(p, state, jobs, end, seconds, rows, codes, lasted):
        stamp
        for i in range(len(p)):
            unit, s, job = p[i], state[i], jobs[i]
            for k in range(len(rows)):
                now = State({state})
                stage = stage_of(job, now.place)
                if stage == end:
                    break
                lasted[i] = k + 1
                codes[k, i] = stage
                seen = output(unit, job, now)
                {read}
                now = next_state(unit, job, now, seconds)
                {keep}
    return run
"""
_LINE = "\n                "


def run_on(physics: ContinuousPhysics[Any, Any], p: Any, state: Any, drives: Drive) -> tuple[Any, Floats, Ints]:  # noqa: ANN401  (each kind's own)
    """Take all appliances of a kind through consecutive steps.

    Args:
        physics: theirs.
        p: their parameters.
        state: before the first step.
        drives: shape (steps, appliances) each.

    Returns:
        The state after the last step, the true channels (steps, appliances, channels), the phases (steps, appliances).
    """
    around = _records({name: drives[name] for name in physics.drives})
    steps, count = around.shape
    rows, codes = np.empty((steps, count, len(physics.channels))), np.empty((steps, count), dtype=np.int64)
    table = _table(state)
    _loop(physics.kind)(_records(_members(p)), table, around, physics.step, rows, codes)
    return _state(state, table), rows, codes


def run_to_end(
    physics: ProgrammePhysics[Any, Any],
    p: Any,  # noqa: ANN401  (each kind's own)
    job: Job,
    most: int,
) -> tuple[Any, Floats, Ints, Ints]:
    """Simulate runs to their ends.

    Args:
        physics: the kind's.
        p: parameters of each run's machine.
        job: what is asked of each.
        most: steps after which a run is left as it is.

    Returns:
        The state at each run's end, the true channels (steps, runs, channels) and stages (steps, runs), of which each
        run fills its own part alone, and how many steps each took.
    """
    count = len(job.load)
    # Nothing is written behind a run's end, so that memory is taken for what has been run only.
    rows, codes = np.empty((most, count, len(physics.channels))), np.empty((most, count), dtype=np.int64)
    state, lasted = physics.initial(p, job), np.zeros(count, dtype=np.int64)
    table = _table(state)
    jobs = _jobs(physics, job)
    _loop(physics.kind)(_records(_members(p)), table, jobs, physics.end, physics.step, rows, codes, lasted)
    return _state(state, table), rows, codes, lasted


def warm() -> None:
    """Compile every kind and keep its machine code, so that no first start has to wait for it."""
    none = np.zeros(0)
    for kind in simulated_kinds():
        physics = physics_of(kind)
        p = physics.parameters(**gather(physics, []))
        if isinstance(physics, ContinuousPhysics):
            still = dict.fromkeys(physics.drives, none)
            drives = {name: values.reshape(1, 0) for name, values in still.items()}
            run_on(physics, p, physics.initial(p, still, none), drives)
            continue
        asked = next(iter(physics.programmes.values()))
        job = Job(
            stages=np.zeros((0, 1), dtype=np.int64),
            settings=dict.fromkeys(asked.settings, none),
            load=none,
            imbalance=none,
            inlet=none,
            ambient=none,
            supply=none,
        )
        run_to_end(physics, p, job, 1)


def _members(one: Any) -> dict[str, Any]:  # noqa: ANN401  (any dataclass of arrays)
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _records(columns: Mapping[str, Floats]) -> _Records:
    """Arrays of one shape as records of that shape."""
    shape = next(iter(columns.values())).shape
    found = np.empty(shape, dtype=[(name, np.float64) for name in columns])
    for name, values in columns.items():
        found[name] = values
    return found


def _jobs(physics: ProgrammePhysics[Any, Any], job: Job) -> _Records:
    """One record a run, with its stages and settings inside; as wide for all jobs of a kind."""
    longest = 1 + max(len(one.stages) for one in physics.programmes.values())
    width = max(longest, job.stages.shape[1])
    plain = [name for name in _members(job) if name not in {"stages", "settings"}]
    kind = np.dtype(
        [
            ("stages", np.int64, (width,)),
            ("settings", [(name, np.float64) for name in sorted(job.settings)]),
            *((name, np.float64) for name in plain),
        ]
    )
    found = np.empty(len(job.load), dtype=kind)
    found["stages"] = physics.end
    found["stages"][:, : job.stages.shape[1]] = job.stages
    for name, values in job.settings.items():
        found["settings"][name] = values
    for name in plain:
        found[name] = getattr(job, name)
    return found


def _table(state: Any) -> Floats:  # noqa: ANN401  (each kind's own)
    """One row of numbers an appliance."""
    return np.stack([values.astype(np.float64) for values in _members(state).values()], axis=1)


def _state(like: Any, table: Floats) -> Any:  # noqa: ANN401  (each kind's own)
    return type(like)(
        **{name: table[:, i].astype(values.dtype) for i, (name, values) in enumerate(_members(like).items())}
    )


@cache
def _loop(kind: str) -> Callable[..., None]:
    """The compiled loop of a kind."""
    physics = physics_of(kind)
    module = sys.modules[physics.next_state.__module__]
    names = _Names()
    lines = {
        "state": ", ".join(_cast(i, text) for i, text in enumerate(_types(physics.state))),
        "keep": _LINE.join(f"s[{i}] = now.{one.name}" for i, one in enumerate(fields(physics.state))),
        "read": _LINE.join(f"rows[k, i, {i}] = seen[{i}]" for i in range(len(physics.channels))),
    }
    template = _CONTINUOUS if isinstance(physics, ContinuousPhysics) else _PROGRAMME
    text = template.format(**lines)
    inside: dict[str, Any] = {
        "__name__": module.__name__,
        "State": names.of(physics.state),
        "next_state": names.of(physics.next_state),
        "output": names.of(physics.output),
        "phase": names.of(physics.phase) if isinstance(physics, ContinuousPhysics) else None,
        "stage_of": scalar.stage_of,
    }
    exec(compile(text, module.__file__ or __file__, "exec"), inside)  # noqa: S102  (the text above, filled with names)
    run = inside["make"](_stamp(text))
    run.__qualname__ = "run"
    try:
        return _KEPT(run)
    except RuntimeError:  # no place to keep machine code
        return _ALONE(run)


def _types(state: type) -> list[str]:
    return [str(one.type) for one in fields(state)]


def _cast(place: int, text: str) -> str:
    """How a number of the table is read as a field of the state."""
    return {"Ints": f"int(s[{place}])", "Bools": f"s[{place}] != 0.0"}.get(text, f"s[{place}]")


def _stamp(text: str) -> str:
    """A hash of everything that is compiled: it is part of the cache's key as the value of a closure."""
    folder = Path(kinds.__file__).parent
    sources = [*sorted(folder.glob("*.py")), Path(scalar.__file__), Path(__file__)]
    return hashlib.sha256(b"\0".join([text.encode(), *(one.read_bytes() for one in sources)])).hexdigest()


class _Names:
    """The names of physics modules, as compiled code sees them."""

    def __init__(self) -> None:
        self._modules: dict[str, dict[str, Any]] = {}
        self._made: dict[Any, Any] = {}

    def of(self, one: Any) -> Any:  # noqa: ANN401  (whatever a module's name stands for)
        """A function or class of a physics, for one appliance; anything else as it is."""
        if one is np:
            return scalar
        if getattr(one, "__name__", "") == "stage_of":
            return scalar.stage_of
        own = getattr(one, "__module__", None) or ""
        if not own.startswith(f"{kinds.__name__}.") or not isinstance(one, FunctionType | type):
            return one
        if one not in self._made:
            self._made[one] = self._make(one)
        return self._made[one]

    def _make(self, one: Any) -> Any:  # noqa: ANN401
        if isinstance(one, FunctionType):
            code = one.__code__  # numba knows no arguments by keyword only: here they are arguments like others
            code = code.replace(co_argcount=code.co_argcount + code.co_kwonlyargcount, co_kwonlyargcount=0)
            return _WITHIN(FunctionType(code, self._inside(one.__module__), one.__name__, one.__defaults__))
        if not is_dataclass(one):
            return one
        return namedtuple(str(getattr(one, "__name__", "")), [field.name for field in fields(one)])  # noqa: PYI024  (its fields are the dataclass's)

    def _inside(self, name: str) -> dict[str, Any]:
        if name not in self._modules:
            found = self._modules[name] = {}
            found |= {key: self.of(value) for key, value in vars(sys.modules[name]).items() if key != "__builtins__"}
        return self._modules[name]
