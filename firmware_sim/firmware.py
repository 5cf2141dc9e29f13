"""Firmware: samples by phase, gathers them into messages with arrays, and says when each is complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.catalogue import PhaseSpec
from telemetry.clock import MICROS

FIRMWARE = "2.4.1"


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a device has to say, before it has a place in a sequence.

    Attributes:
        device: index in the fleet.
        done: fleet time at which the message is complete, microseconds.
        t: event time of the first reading, microseconds.
        q: channel to number or array.
        dt: microseconds between readings when `q` holds arrays.
        phase: of the catalogue, or None.
        events: codes.
        fw: firmware version.
    """

    device: int
    done: int
    t: int
    q: dict[str, float | list[float | None] | None]
    dt: int | None = None
    phase: str | None = None
    events: tuple[str, ...] = ()
    fw: str = FIRMWARE


class Gathered(msgspec.Struct):
    """The message that a sampler is filling: its phase, first step and rows; `due` is the next step to sample."""

    phase: str
    first: int
    due: int
    rows: list[list[float]] = msgspec.field(default_factory=list)


@dataclass(slots=True)
class Sampler:
    """Turns rows of sensor values on a fixed grid of steps into messages, one phase a message.

    Attributes:
        device: index in the fleet.
        channels: names of the columns.
        phases: of the catalogue.
        step: microseconds of a step; steps are counted from the epoch.
        state: the message under way, or None before the first step.
    """

    device: int
    channels: Sequence[str]
    phases: Mapping[str, PhaseSpec]
    step: int
    state: Gathered | None = field(default=None)

    def take(self, phase: str, first: int, rows: NDArray[np.float64]) -> list[Body]:
        """Take consecutive steps of one phase.

        Args:
            phase: of all these steps.
            first: number of the first step; it follows the last one taken.
            rows: shape (steps, channels).
        """
        found: list[Body] = []
        if self.state is None or self.state.phase != phase:
            found += self.flush(first)
            self.state = Gathered(phase, first, first)
        state, spec = self.state, self.phases[phase]
        stride = max(round(spec.every * MICROS) // self.step, 1)
        end = first + len(rows)
        while state.due < end:
            if not state.rows:
                state.first = state.due
            count = min(spec.batch - len(state.rows), (end - 1 - state.due) // stride + 1)
            begin = state.due - first
            state.rows.extend(rows[begin : begin + count * stride : stride].tolist())
            state.due += count * stride
            if len(state.rows) >= spec.batch:
                found += self.flush(state.due - stride)
        return found

    def flush(self, at: int) -> list[Body]:
        """Close the message under way at a step; empty when there is nothing in it."""
        state = self.state
        if state is None or not state.rows:
            return []
        every = max(round(self.phases[state.phase].every * MICROS) // self.step, 1) * self.step
        columns = [list(column) for column in zip(*state.rows, strict=True)]
        single = len(state.rows) == 1
        q: dict[str, float | list[float | None] | None] = (
            {name: column[0] for name, column in zip(self.channels, columns, strict=True)}
            if single
            else dict(zip(self.channels, columns, strict=True))
        )
        body = Body(
            device=self.device,
            done=at * self.step,
            t=state.first * self.step,
            q=q,
            dt=None if single else every,
            phase=state.phase,
        )
        state.rows = []
        return [body]
