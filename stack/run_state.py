"""What runs in a data directory, written for `wellkept status` and for the next start after a crash."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stack.process import Identity, end, identify, write_secret

_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class PartState:
    """One part as last recorded.

    Attributes:
        pid: of its process, None for a part that somebody else runs.
        started: of the process, for telling it from a later one with the same pid.
        restarts: how often the supervisor started it again.
        address: without password.
        external: given by a setting.
    """

    name: str
    pid: int | None = None
    started: str | None = None
    restarts: int = 0
    address: str | None = None
    external: bool = False

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return self.pid is not None and self.started is not None and Identity(self.pid, self.started).alive()


@dataclass(frozen=True, slots=True)
class RunState:
    """A run of the product.

    Attributes:
        supervisor: its own process.
        parts: in the order of start.
        secrets: addresses with passwords, for commands on this machine; the file is closed to others.
        monitor: monitoring address of the embedded stream, if any.
    """

    supervisor: PartState
    parts: list[PartState] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    monitor: str | None = None

    def save(self, data_dir: Path) -> None:
        """Write it."""
        write_secret(data_dir / _FILE, json.dumps(asdict(self), indent=1))


def load(data_dir: Path) -> RunState | None:
    """Read it, or None where nothing ever ran."""
    try:
        raw: dict[str, Any] = json.loads((data_dir / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return RunState(
        PartState(**raw["supervisor"]),
        [PartState(**part) for part in raw["parts"]],
        dict(raw["secrets"]),
        raw["monitor"],
    )


def own_part() -> PartState:
    """This process."""
    me = identify(os.getpid())
    if me is None:  # we run
        raise RuntimeError("this process does not see itself")
    return PartState("supervisor", me.pid, me.started)


def end_orphans(state: RunState) -> list[str]:
    """End what a killed supervisor left behind, last started first. Returns their names."""
    ended = []
    for part in reversed(state.parts):
        if part.alive and part.pid is not None and part.started is not None:
            end(Identity(part.pid, part.started))
            ended.append(part.name)
    return ended
