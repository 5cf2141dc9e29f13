"""TimescaleDB in a process of Node.js, for tests and benchmarks on machines that have no such server.

PGlite is PostgreSQL compiled to WebAssembly; its build here holds TimescaleDB's own code. It keeps everything in
memory, serves one connection at a time and knows no COPY.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from stack.errors import StartError
from stack.process import end_child, free_port, wait_ready
from storage.pool import connect
from storage.timescale import create

PART = "pglite"
_SCRIPT = Path(__file__).with_name("pglite.mjs")
_MODULES = _SCRIPT.parents[1] / "node_modules"
_READY_S = 60.0


def missing() -> str | None:
    """What this machine lacks to run it, in one sentence; None when nothing."""
    if shutil.which("node") is None:
        return "Node.js is not installed; on Debian or Ubuntu: apt-get install nodejs npm"
    if not (_MODULES / "@unni-craftsman" / "pglite").is_dir():
        return "PGlite is not installed; run: make setup-node"
    return None


class Pglite:
    """One empty database with the extension; it is gone when the process ends.

    Args:
        folder: for its log.
        extension: whether it has the extension from the start.
    """

    def __init__(self, folder: Path, *, extension: bool = True) -> None:
        self._extension = extension
        self._log = folder / "pglite.log"
        self._child: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Address of the database. Any password opens it: it listens on the loopback and lives as long as a test."""
        return f"postgresql://postgres:any@127.0.0.1:{self.port}/postgres?sslmode=disable&gssencmode=disable"

    def start(self) -> None:
        """Start the process; create the extension.

        Raises:
            StartError: Node.js or the package is missing, or the process ends or stays silent.
        """
        lack = missing()
        node = shutil.which("node")
        if lack is not None or node is None:
            raise StartError(PART, lack or "Node.js is not installed")
        self.port = free_port()
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(  # noqa: S603  (a fixed command)
                [node, str(_SCRIPT), str(self.port)], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
            )
        wait_ready(PART, self._child, self._answers, self._log, _READY_S)
        if not self._extension:
            return
        with connect(self.url, application="wellkept-setup", autocommit=True) as conn:
            create(conn)

    def stop(self) -> None:
        """End it, and with it the database."""
        if self._child is not None:
            if self._child.stdin is not None:
                self._child.stdin.close()
            end_child(self._child)
            self._child = None

    def _answers(self) -> bool:
        return b"ready" in self._log.read_bytes()
