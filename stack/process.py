"""Processes by identity: a pid alone may belong to somebody else by now."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StartError

_TICK_S = 0.02
_TAIL_BYTES = 4_000
_START_FIELD = 19  # of /proc/PID/stat after the command's closing bracket: start time in clock ticks
_NEVER = threading.Event()
_QUIET_FROM, _QUIET_PORTS = 20_000, 12_000
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that can be told from a later one with the same pid.

    Attributes:
        pid: process id.
        started: what the system says about its start; compared, never parsed.
    """

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """The identity of a running process, or None. A zombie does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _identify_by_ps(pid)
    except ProcessLookupError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else Identity(pid, fields[_START_FIELD])


def _identify_by_ps(pid: int) -> Identity | None:
    # Systems without /proc.
    done = subprocess.run(  # noqa: S603  (a fixed command)
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    started = done.stdout.strip()
    return Identity(pid, started) if started else None


def end(identity: Identity, *, by: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
    """End a process that may not be a child: ask, wait, then kill. Does nothing when it is gone."""
    for sign, wait in ((by, patience), (signal.SIGKILL, 5.0)):
        if not identity.alive():
            return
        try:
            os.kill(identity.pid, sign)
        except ProcessLookupError:
            return
        if wait_until(lambda: not identity.alive(), wait):
            return


def end_child(child: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> int:
    """End a child and reap it. Returns its exit status."""
    if child.poll() is None:
        child.send_signal(by)
        try:
            return child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait(10.0)


def wait_until(condition: Callable[[], bool], patience: float) -> bool:
    """Ask again and again, at most `patience` seconds. Returns whether it became true."""
    until = time.monotonic() + patience
    while not condition():
        if time.monotonic() >= until:
            return False
        _NEVER.wait(_TICK_S)
    return True


def wait_ready(
    part: str, child: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, patience: float
) -> None:
    """Wait until a child answers.

    Raises:
        StartError: it ended, or does not answer in time; with the end of its log.
    """
    wait_until(lambda: child.poll() is not None or ready(), patience)
    if child.poll() is not None:
        raise StartError(part, f"ended with status {child.returncode} while starting", tail(log))
    if not ready():
        raise StartError(part, f"did not answer within {patience:g} s", tail(log))


def tail(log: Path) -> str:
    """The last lines of a log file, or nothing."""
    try:
        raw = log.read_bytes()
    except FileNotFoundError:
        return ""
    return raw[-_TAIL_BYTES:].decode("utf-8", errors="replace").strip()


def free_port(wanted: int | None = None) -> int:
    """A TCP port of the loopback that is free now: the wanted one when it is.

    Otherwise one below those that systems give to outgoing connections: a server may open it seconds
    later, and nobody's connection takes it meanwhile.
    """
    if wanted and _can_bind(wanted):
        return wanted
    for _ in range(_TRIES):
        port = _QUIET_FROM + secrets.randbelow(_QUIET_PORTS)
        if _can_bind(port):
            return port
    raise StartError("network", f"no TCP port of 127.0.0.1 was free in {_TRIES} tries from {_QUIET_FROM} on")


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def new_password() -> str:
    """A password that needs no quoting anywhere."""
    return secrets.token_hex(20)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
