"""`wellkept bench recovery`: how long a worker takes to come back, and what it holds, by the size of the fleet.

A stack of its own for each size: rows and snapshots as they lie in the database when a worker starts, one message of
every device waiting in the stream. The clock runs from the start of the process.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stack.bench_load import BenchError, Program, Told
from stack.bench_meter import Part, cpu_us, memory_mb
from stack.settings import Settings
from stack.supervisor import Supervisor

SIZES = (1_000, 10_000, 100_000)
_PATIENCE_S = 1_800.0


def recovery(sizes: Sequence[int], behind: int, told: Told) -> list[dict[str, Any]]:
    """One row a size: seconds until the partitions are owned, until the first message and all are committed."""
    return [_measure(size, behind, told) for size in sizes]


def _measure(devices: int, behind: int, told: Told) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="wellkept-bench-"))
    folder.chmod(0o711)  # the database's account passes through
    stack = Supervisor(Settings(data_dir=folder / "data"), lambda _line: None)
    reached: dict[str, float] = {}
    try:
        stack.start_servers()
        told(f"{devices:,} devices, {behind} readings of each since its snapshot")
        program = Program(
            "recovery",
            {"nats": stack.nats_url(), "database": stack.database_url, "devices": devices, "behind": behind},
            lambda said: reached.__setitem__(said["reached"], said["at"]),
        )
        program.wait_ready(_PATIENCE_S)
        began = time.time()
        environment = stack._environment("worker")  # noqa: SLF001  (of the same package)
        worker = stack.add("worker-1", ("-m", "worker"), environment)
        done = program.wait(_PATIENCE_S)
        if worker.identity is None or "all" not in reached:
            raise BenchError(f"the worker did not come back within {_PATIENCE_S:g} s; it reached {sorted(reached)}")
        part = {"worker": Part(worker.identity.pid)}
        found = {
            "devices": devices,
            "readings_since_snapshot": behind,
            "owned_s": round(reached["owned"] - began, 2),
            "first_commit_s": round(reached["first"] - began, 2),
            "all_s": round(reached["all"] - began, 2),
            "cpu_s": round(cpu_us(part)["worker"] / 1e6, 2),
            "rss_mb": memory_mb(part)["worker"],
            "snapshot_bytes": done["snapshot_bytes"],
        }
        told(f"  back after {found['all_s']} s, {found['rss_mb']} MB")
        return found
    finally:
        stack.stop()
        if stack.postgres is not None:
            stack.postgres.remove()
        shutil.rmtree(folder, ignore_errors=True)
