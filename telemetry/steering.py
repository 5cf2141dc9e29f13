"""What is asked of a simulated fleet that runs, and how: JSON lines over a socket in its folder.

The words are shared by who steers (`wellkept sim`, the engineers' pages) and by the process that runs the fleet
(`firmware_sim.control`). What is asked for becomes a dated intervention of the fleet and is kept with its state.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from telemetry.errors import WellkeptError

SOCKET = "control.sock"
"""Name of the socket in a fleet's folder."""
POINTER = "control.path"
"""Says where the socket lies when the folder's own path is too long for one."""
_TIMEOUT_S = 10.0


class Inject(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="inject", forbid_unknown_fields=True):
    """Let a fault begin now; `lead_days` until functional failure, by default the catalogue's."""

    device: str
    fault: str
    lead_days: float | None = None


class Clear(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="clear", forbid_unknown_fields=True):
    """Undo a fault, by its id or its family; every developing fault when empty."""

    device: str
    fault: str = ""


class SetNetwork(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="network", forbid_unknown_fields=True):
    """Give a device (all when empty) another link: fields of `Link` by name; without values, the scenario's again."""

    device: str = ""
    values: dict[str, float] | None = None


class Reboot(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="reboot", forbid_unknown_fields=True):
    """Restart a device's module, with another version when one is given, without its spool when that is lost."""

    device: str
    fw: str = ""
    spool_lost: bool = False


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="record", forbid_unknown_fields=True):
    """Write what devices say from now on into a file; without a path, stop."""

    path: str | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="status", forbid_unknown_fields=True):
    """How the fleet stands, or one device."""

    device: str = ""


class Developing(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="developing", forbid_unknown_fields=True
):
    """Every fault that is developing now in the whole fleet, the one nearest to its failure first."""


Request = Inject | Clear | SetNetwork | Reboot | Record | Status | Developing


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What comes back: a result, or a sentence that says why not and the nearest valid name."""

    ok: bool
    result: dict[str, Any] = msgspec.field(default_factory=dict)
    error: str = ""
    nearest: str | None = None


class ControlError(WellkeptError):
    """The fleet refused; `nearest` is the valid name that was perhaps meant."""

    def __init__(self, message: str, nearest: str | None = None) -> None:
        super().__init__(message)
        self.nearest = nearest


class NotRunningError(WellkeptError):
    """No process runs the fleet of that folder."""


def ask(folder: Path, request: Request, timeout: float = _TIMEOUT_S) -> dict[str, Any]:
    """Ask the process that runs the fleet of a folder.

    Raises:
        NotRunningError: there is none, or it does not answer in time.
        ControlError: it refused.
    """
    with _connected(folder, timeout) as line:
        try:
            line.write(msgspec.json.encode(request) + b"\n")
            line.flush()
            data = line.readline()
        except OSError as cause:
            raise NotRunningError(f"the fleet of {folder} did not answer: {cause}") from cause
    if not data:
        raise NotRunningError(f"the fleet of {folder} ended before it answered")
    answer = msgspec.json.decode(data, type=Answer)
    if not answer.ok:
        raise ControlError(answer.error, answer.nearest)
    return answer.result


@contextlib.contextmanager
def _connected(folder: Path, timeout: float) -> Iterator[BinaryIO]:
    pointer = folder / POINTER
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        try:
            path = Path(pointer.read_text(encoding="utf-8")) if pointer.exists() else folder.resolve() / SOCKET
            client.connect(str(path))
        except OSError as cause:
            raise NotRunningError(
                f"no fleet runs in {folder}; start it with `wellkept sim run --folder {folder}`"
            ) from cause
        with client.makefile("rwb") as line:
            yield cast("BinaryIO", line)
