"""What processes use: CPU and memory by part, from /proc."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")
_UTIME, _CUTIME = 11, 13  # of /proc/PID/stat after the command's closing bracket
_PARENT = 1


@dataclass(frozen=True, slots=True)
class Part:
    """Processes that are counted as one.

    Attributes:
        pid: of the first.
        tree: count its descendants too, the ended ones included (PostgreSQL: a process a session).
    """

    pid: int
    tree: bool = False


def cpu_us(parts: Mapping[str, Part]) -> dict[str, int]:
    """CPU time since each part's start, microseconds, user and system."""
    return {name: sum(_cpu(pid, reaped=part.tree) for pid in _pids(part)) for name, part in parts.items()}


def memory_mb(parts: Mapping[str, Part]) -> dict[str, float]:
    """Proportional set size of each part, MB: resident pages, shared ones divided among those that share them."""
    return {name: round(sum(_pss_kb(pid) for pid in _pids(part)) / 1024, 1) for name, part in parts.items()}


def _pids(part: Part) -> list[int]:
    if not part.tree:
        return [part.pid]
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found, todo = [], [part.pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu(pid: int, *, reaped: bool) -> int:
    fields = _fields(pid)
    if not fields:
        return 0
    ticks = int(fields[_UTIME]) + int(fields[_UTIME + 1])
    if reaped:
        ticks += int(fields[_CUTIME]) + int(fields[_CUTIME + 1])
    return ticks * _TICK_US


def _pss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def peak_mb() -> float:
    """The most memory that this process ever held resident, MB; what its parent held before it is not counted."""
    text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM:")) / 1024
