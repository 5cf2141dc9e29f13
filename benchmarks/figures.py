"""A run of `wellkept bench throughput --json` as the table of docs/speed.md.

    wellkept bench throughput --json | python -m benchmarks.figures

Prints Markdown: date, machine and commit, then each figure beside what is to be reached.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REACH: dict[str, str] = {
    "messages_per_s": "≥ 12,000",
    "points_per_s": "≥ 96,000",
    "cpu_ratio": "≤ 2.0",
    "p50_ms": "≤ 150",
    "p99_ms": "≤ 600",
    "lost": "0",
    "duplicated": "0",
    "generator_cpu_us": "≤ 15",
}


def table(found: dict[str, Any]) -> str:
    """The figures, nested ones in one cell."""
    lines = ["| figure | value | to reach |", "|---|---|---|"]
    for name, value in found.items():
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
        else:
            shown = _plain(value)
        lines.append(f"| `{name}` | {shown} | {REACH.get(name, '')} |")
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " → ".join(_plain(each) for each in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def machine() -> str:
    """Processor, cores and memory of this machine."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    cores = Path("/proc/cpuinfo").read_text(encoding="utf-8").count("processor\t")
    memory = int(Path("/proc/meminfo").read_text(encoding="ascii").split()[1]) // 1024**2
    return f"{cpu}, {cores} cores, {memory} GB, {platform.system()}, Python {platform.python_version()}"


def commit() -> str:
    """The checkout's commit."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Run by command line."""
    print(f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, {machine()}.\n")
    print(table(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
