"""Plays the table of faults and writes `docs/reliability.md` from what came of it.

`python -m tests.faults.reliability [--tier short|long] [SCENARIO…]`: without names all of the tier, without a tier
both. Each scenario's outcome is kept in `docs/reliability.json` as soon as it is there, so that a run may be
made in parts; the page says of each row when and at which commit it was made, and of the others that they did not run.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.faults.runner import Outcome, Scenario, Theatre, Tier, play, report
from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import PATIENCE, RECOVERY, REPOSITORY

_PAGE = REPOSITORY / "docs" / "reliability.md"
_DATA = REPOSITORY / "docs" / "reliability.json"
_HEAD = """# Reliability

Written by the run (`make reliability`); do not edit. Each row is a fault from the table in `tests/faults/scenarios.py`,
played on the product's own servers, and audited by one auditor (`tests/faults/auditor.py`): numbered messages at the
devices against readings and dead letters in the database; tickets and notices against a run without the fault.

- **lost**: in neither readings nor dead letters, and not dropped by a spool that was full or gone.
- **twice**: stored or buried more than once.
- **recovery**: seconds from the fault's end until a message published after it has its receipt and the last gap is
  closed; the bound is 10 s.
- **grown**: by how much ingest and workers together grew, MB; the bound is 200 MB.

`make test` plays the short tier, `make test-long` the long one; `WELLKEPT_PATIENCE=2` doubles every bound of time for a
machine that does other things as well; a row that needed it says so. `load` is the machine's one-minute load average
(on two cores, 2 is busy). Shuffled, duplicated and delayed delivery of one
day giving the same episodes is a property test: `tests/faults/test_episodes.py`.
"""
_NOT_CLAIMED = """
## What is not claimed

- **Power loss.** Processes are killed, machines are not: no row says what a disk keeps that lies about `fsync`.
- **Fail-over of the database.** One server, away and back. A standby that takes over without the last transactions
  loses what was receipted with them.
- **The loss of the database's disk** beyond what a backup and the stream bring back (`docs/operate.md`).
- **The loss of a device's disk.** What its spool held and had not sent is gone; the new epoch says so.
- **Delivery of a mail exactly once.** Hand-over is at least once, with the same Message-ID.
- **Several machines.** All rows were played on one; partitions of the network between servers are the subject of
  `wellkept world`.
"""


class Row(msgspec.Struct, kw_only=True):
    """One outcome as it is kept."""

    id: str
    messages: int
    lost: int
    duplicated: int
    recovery: float | None
    rate: float | None
    grown: float
    problems: list[str]
    stretched: list[str] = []
    notes: list[str]
    wall: float
    seed: int
    commit: str
    date: str
    machine: str
    load: float
    patience: float


def main(arguments: Sequence[str]) -> int:
    """Play, write, and say by the exit code whether everything held."""
    parser = argparse.ArgumentParser(description="Plays the table of faults and writes docs/reliability.md.")
    parser.add_argument("--tier", choices=[tier.value for tier in Tier])
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(each.id for each in SCENARIOS))
    given = parser.parse_args(arguments)
    chosen = [
        each
        for each in SCENARIOS
        if (not given.names or each.id in given.names) and given.tier in (None, each.tier.value)
    ]
    rows = load()
    theatre = Theatre()
    failed = 0
    try:
        for scenario in chosen:
            outcome = play(scenario, theatre.stage(scenario.where))
            sys.stdout.write(report(outcome) + "\n")
            sys.stdout.flush()
            failed += bool(outcome.problems)
            rows[scenario.id] = row_of(outcome)
            save(rows)
            theatre.clear(scenario.where, broken=bool(outcome.problems))
    finally:
        theatre.close()
    return 1 if failed else 0


def row_of(outcome: Outcome) -> Row:
    """An outcome with where and when it was made."""
    return Row(
        id=outcome.scenario.id,
        messages=outcome.messages,
        lost=outcome.lost,
        duplicated=outcome.duplicated,
        recovery=outcome.recovery,
        rate=outcome.rate,
        grown=outcome.grown,
        problems=outcome.problems,
        stretched=outcome.stretched,
        notes=[note for note in outcome.notes if "\n" not in note],
        wall=outcome.wall,
        seed=outcome.scenario.seed,
        commit=commit(),
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        machine=machine(),
        load=os.getloadavg()[0],
        patience=PATIENCE,
    )


def load() -> dict[str, Row]:
    """Outcomes kept so far, by scenario."""
    if not _DATA.exists():
        return {}
    return {row.id: row for row in msgspec.json.decode(_DATA.read_bytes(), type=list[Row])}


def save(rows: dict[str, Row]) -> None:
    """Keep the outcomes and write the page."""
    kept = [rows[each.id] for each in SCENARIOS if each.id in rows]
    _DATA.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    _PAGE.write_text(page(rows), encoding="utf-8")


def page(rows: dict[str, Row]) -> str:
    """The whole page."""
    parts = [_HEAD]
    for tier in Tier:
        parts += [f"\n## The {tier.value} tier\n", *table([each for each in SCENARIOS if each.tier is tier], rows)]
    broken = [row for row in rows.values() if row.problems]
    if broken:
        parts.append("\n## What did not hold\n")
        parts += [f"- `{row.id}` ({row.commit}): {'; '.join(row.problems)}" for row in broken]
    parts.append("\n## Machines\n")
    machines = sorted({(row.machine, row.patience) for row in rows.values()})
    parts += [f"- {name}; WELLKEPT_PATIENCE={patience:g}" for name, patience in machines]
    return "\n".join(parts) + "\n" + _NOT_CLAIMED


def table(scenarios: Sequence[Scenario], rows: dict[str, Row]) -> list[str]:
    """The rows of some scenarios."""
    lines = [
        "| scenario | fault | claim | messages | /s | lost | twice | recovery s | grown MB | seed | run | held |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|---|---|",
    ]
    for each in scenarios:
        row = rows.get(each.id)
        if row is None:
            lines.append(f"| `{each.id}` | {each.fault} | {each.claim} | | | | | | | {each.seed} | | *not run* |")
            continue
        recovery = "" if row.recovery is None else f"{row.recovery:.1f}"
        rate = "" if row.rate is None else f"{row.rate:.0f}"
        notes = f" ({'; '.join(row.notes)})" if row.notes else ""
        run = f"{row.commit}, {row.date}, load {row.load:.1f}"
        lines.append(
            f"| `{each.id}` | {each.fault}{notes} | {each.claim} | {row.messages:,} | {rate} | {row.lost} | "
            f"{row.duplicated} | {recovery} | {row.grown:.0f} | {row.seed} | {run} | "
            f"{held(row)} |"
        )
    return lines


def held(row: Row) -> str:
    """Whether the claim held, and whether within its own bounds of time."""
    if row.problems:
        return "**no**"
    if row.stretched or (row.recovery or 0.0) > RECOVERY:
        return f"only with patience {row.patience:g}"
    return "yes"


def commit() -> str:
    """The commit that is checked out; a plus when something is changed."""
    git = shutil.which("git")
    if git is None:
        return "unknown"

    def ask(*words: str) -> str:
        done = subprocess.run([git, "-C", str(REPOSITORY), *words], capture_output=True, text=True, check=False)  # noqa: S603  (git's own path)
        return done.stdout.strip()

    changed = [line for line in ask("status", "--porcelain", "-uno").splitlines() if "docs/reliability" not in line]
    return (ask("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")


def machine() -> str:
    """Processor, cores and Python."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    name = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores, {name}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
