"""Talks to a fleet that runs: requests and answers as JSON lines over a socket in the fleet's folder.

The process that runs the fleet serves (`ControlServer`); who steers asks (`telemetry.steering`). What is asked for
becomes a dated intervention of the fleet and is kept with its state.
"""

from __future__ import annotations

import contextlib
import socketserver
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from firmware_sim.names import UnknownNameError
from telemetry.errors import WellkeptError
from telemetry.steering import POINTER, SOCKET, Answer, Request

_LONGEST_PATH = 100
"""Bytes: systems cut the path of a socket at 104 or 108."""
_log = structlog.get_logger(__name__)


Handler = Callable[[Request], dict[str, Any]]


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
            (folder / POINTER).write_text(str(self.path), encoding="utf-8")
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
        (self._folder / POINTER).unlink(missing_ok=True)

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


def _place(folder: Path) -> Path:
    """Where the socket lies: in the folder, or, when its path is too long for a socket, in a folder of its own."""
    path = folder.resolve() / SOCKET
    if len(str(path).encode()) < _LONGEST_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="wellkept-control-")) / SOCKET
