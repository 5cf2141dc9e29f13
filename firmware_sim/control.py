"""Talks to a fleet that runs: requests and answers as JSON lines over a socket in the fleet's folder.

The process that runs the fleet serves (`ControlServer`), commands of the command line ask (`ask`). What is asked for
becomes a dated intervention of the fleet and is kept with its state.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import structlog

from firmware_sim.names import UnknownNameError
from telemetry.errors import WellkeptError

_SOCKET = "control.sock"
_POINTER = "control.path"
_LONGEST_PATH = 100
"""Bytes: systems cut the path of a socket at 104 or 108."""
_TIMEOUT_S = 10.0
_log = structlog.get_logger(__name__)


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


Request = Inject | Clear | SetNetwork | Reboot | Record | Status
Handler = Callable[[Request], dict[str, Any]]


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


class ControlServer:
    """Answers requests one after the other.

    Args:
        folder: of the fleet.
        handle: carries a request out; may raise any WellkeptError, ValueError or OSError, whose sentence is the answer.
    """

    def __init__(self, folder: Path, handle: Handler) -> None:
        self._folder, self._handle, self._turn = folder, handle, threading.Lock()
        self.path = _place(folder)
        self.path.unlink(missing_ok=True)
        outer = self

        class _Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):
                    for line in self.rfile:
                        self.wfile.write(msgspec.json.encode(outer.answer(line)) + b"\n")

        self._server = socketserver.ThreadingUnixStreamServer(str(self.path), _Conversation)
        self._server.daemon_threads = True
        self.path.chmod(0o600)
        if self.path.parent != folder.resolve():
            (folder / _POINTER).write_text(str(self.path), encoding="utf-8")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="control", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.path.unlink(missing_ok=True)
        (self._folder / _POINTER).unlink(missing_ok=True)

    def answer(self, line: bytes) -> Answer:
        """The answer to one request."""
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.DecodeError, UnicodeDecodeError) as cause:
            return Answer(ok=False, error=f"not understood: {cause}")
        try:
            with self._turn:
                return Answer(ok=True, result=self._handle(request))
        except UnknownNameError as cause:
            return Answer(ok=False, error=str(cause), nearest=cause.nearest)
        except (WellkeptError, ValueError, OSError) as cause:
            _log.warning("refused", request=type(request).__name__, why=str(cause))
            return Answer(ok=False, error=str(cause))


def ask(folder: Path, request: Request, timeout: float = _TIMEOUT_S) -> dict[str, Any]:
    """Ask the process that runs the fleet of a folder.

    Raises:
        NotRunningError: there is none.
        ControlError: it refused.
    """
    with _connected(folder, timeout) as line:
        line.write(msgspec.json.encode(request) + b"\n")
        line.flush()
        data = line.readline()
    if not data:
        raise NotRunningError(f"the fleet of {folder} ended before it answered")
    answer = msgspec.json.decode(data, type=Answer)
    if not answer.ok:
        raise ControlError(answer.error, answer.nearest)
    return answer.result


@contextlib.contextmanager
def _connected(folder: Path, timeout: float) -> Iterator[Any]:
    pointer = folder / _POINTER
    path = Path(pointer.read_text(encoding="utf-8")) if pointer.exists() else folder.resolve() / _SOCKET
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        try:
            client.connect(str(path))
        except OSError as cause:
            raise NotRunningError(
                f"no fleet runs in {folder}; start it with `wellkept sim run --folder {folder}`"
            ) from cause
        with client.makefile("rwb") as line:
            yield line


def _place(folder: Path) -> Path:
    """Where the socket lies: in the folder, or, when its path is too long for a socket, in a folder of its own."""
    path = folder.resolve() / _SOCKET
    if len(str(path).encode()) < _LONGEST_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="wellkept-control-")) / _SOCKET
