"""Records what a running fleet says into a file that can be replayed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from firmware_sim.firmware import Body
from firmware_sim.fleet import Fleet
from firmware_sim.fleet_file import Header, recording


class Recorder:
    """An open recording that begins at the fleet's present time.

    Args:
        path: of the file; it appears under its name when the recording is closed.
        fleet: whose messages.

    Attributes:
        path: of the file.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, fleet: Fleet) -> None:
        self.path = path
        header = Header(
            form="messages",
            scenario=fleet.scenario.id,
            seed=fleet.seed,
            start=fleet.now,
            devices={one.key: one.kind for one in fleet.devices},
        )
        self._open = ExitStack()
        self._writer = self._open.enter_context(recording(path, header, {one.index: one.key for one in fleet.devices}))

    @property
    def messages(self) -> int:
        """How many were written."""
        return self._writer.messages

    def write(self, bodies: Iterable[Body]) -> None:
        """Add messages."""
        self._writer.write(bodies)

    def close(self) -> None:
        """Put the file in its place."""
        self._open.close()
