"""A fleet's state on disk: the way to day N of its life without living the days before again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from firmware_sim.fleet import Fleet, SnapshotError
from firmware_sim.wear import DAY
from telemetry.clock import to_datetime


class Checkpoint:
    """A file with a fleet's state; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, fleet: Fleet) -> bool:
        """Bring a fresh fleet of the same scenario, seed and start to the state; False when there is no file.

        Raises:
            SnapshotError: the file is another fleet's.
        """
        if not self._path.exists():
            return False
        try:
            fleet.restore(self._path.read_bytes())
        except SnapshotError as cause:
            raise SnapshotError(f"{self._path}: {cause}") from cause
        return True

    def save(self, fleet: Fleet) -> None:
        """Write the state; the file is whole or as it was."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_bytes(fleet.snapshot())
        fresh.replace(self._path)


def bring_to(
    fleet: Fleet, at: int, checkpoint: Checkpoint | None, told: Callable[[int], None] = lambda _now: None
) -> None:
    """Bring a fresh fleet to a fleet time, from a checkpoint where there is one; what it says on the way is lost.

    Args:
        fleet: fresh.
        at: fleet time, microseconds.
        checkpoint: where to begin, and where the state then lies.
        told: called with the fleet time reached, about eight times a fleet day.

    Raises:
        SnapshotError: the checkpoint is another fleet's, or lies later than `at`.
    """
    if checkpoint is not None and checkpoint.load(fleet) and fleet.now > at:
        reached, wanted = (f"{to_datetime(each):%Y-%m-%d %H:%M}" for each in (fleet.now, at))
        raise SnapshotError(f"the checkpoint is of {reached}, later than {wanted}: name a later day, or another file")
    while fleet.now < at:
        before = fleet.now
        fleet.advance(min(at, fleet.now + DAY // 8))
        told(fleet.now)
        if fleet.now == before:  # the rest is shorter than a step
            break
    if checkpoint is not None:
        checkpoint.save(fleet)
