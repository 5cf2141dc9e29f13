"""Many trials, one after the other: the named scenarios on seeds kept for testing, and their table of results.

Each trial lies in its own folder; what is there already is not run again, so that a series can be interrupted.
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from firmware_sim.scenario import Scenario, load_scenario
from stack.errors import StackError
from stack.trial.folder import RECORD, read_record, write
from stack.trial.pool import pooled
from stack.trial.record import TrialRecord
from stack.trial.score import YEAR_DAYS
from stack.trial.words import days, number, percent, percents, span

NAMED = (
    "calm-year",
    "confounders",
    "heat-wave",
    "firmware-regression",
    "bad-batch",
    "flaky-network",
    "cold-start",
    "old-fleet",
    "plug-only",
)
"""Scenarios whose results the product publishes."""
TEST_SEEDS = 9001
"""The first seed that nothing may be tuned on; lower ones are for that."""


class Conduct(Protocol):
    """Runs one trial."""

    def __call__(
        self, scenario: Scenario, seed: int, *, devices: int | None, days: int | None, processes: int | None
    ) -> tuple[TrialRecord, dict[str, Any]]:
        """The trial's record and its timing."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A series.

    Attributes:
        folder: of all trials; `SCENARIO/SEED` beneath it, and `SCENARIO/all` for what they amount to.
        least_years: device-years of each scenario.
        seed: the first one.
        only: scenarios; empty: all named ones.
        devices: of each trial; None: the scenario's own.
        days: of each trial.
        processes: at once; None: one a processor.
    """

    folder: Path
    least_years: float
    seed: int = TEST_SEEDS
    only: tuple[str, ...] = ()
    devices: int | None = None
    days: int = 365
    processes: int | None = None


def run_series(plan: Plan, conduct: Conduct, tell: Callable[[str], None]) -> str:
    """Run what is not there yet.

    Returns:
        The table of results as Markdown.
    """
    reports = [run_scenario(plan, load_scenario(name), conduct, tell) for name in plan.only or NAMED]
    return results(reports, plan)


def run_scenario(plan: Plan, scenario: Scenario, conduct: Conduct, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run one scenario on as many seeds as it takes; the report of all of them taken as one."""
    records: list[TrialRecord] = []
    seed = plan.seed
    while sum(each.device_days for each in records) < plan.least_years * YEAR_DAYS:
        records.append(_one(plan, scenario, seed, conduct, tell))
        seed += 1
    how = f"Seeds {plan.seed} to {seed - 1} taken as one: {_command(plan, scenario.id)}"
    return write(plan.folder / scenario.id / "all", pooled(records), scenario, how).report


def _one(plan: Plan, scenario: Scenario, seed: int, conduct: Conduct, tell: Callable[[str], None]) -> TrialRecord:
    folder = plan.folder / scenario.id / str(seed)
    if (folder / RECORD).exists():
        record, then = read_record(folder)
        if then != scenario or record.days != plan.days or plan.devices not in {None, len(record.devices)}:
            raise StackError(f"{folder} holds a trial of another fleet or length; move it away, or give another --out")
        tell(f"{scenario.id}, seed {seed}: is there")
        return record
    record, timing = conduct(scenario, seed, devices=plan.devices, days=plan.days, processes=plan.processes)
    written = write(folder, record, scenario)
    (folder / "timing.json").write_text(json.dumps(timing, indent=2) + "\n", encoding="utf-8")
    tell(
        f"{scenario.id}, seed {seed}: {written.report['caught']} of {written.report['faults']} caught, "
        f"{written.report['false_tickets']} false, {timing['seconds']:.0f} s"
    )
    return record


def results(reports: list[dict[str, Any]], plan: Plan) -> str:
    """The table of results, with what a stranger needs to repeat it."""
    head = (
        "scenario",
        "device-years",
        "faults",
        "recall (95 %)",
        "found (95 %)",
        "lead p50 / p10 / slow p50",
        "false a device-year (95 %)",
        "tickets a fault",
        "top 1 / 3",
        "remaining life: covered, width",
        "in time",
        "first-time fix",
        "repeat",
        "cost of failure / calendar / thresholds",
        "blind: random, monthly",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_row(found)) + " |" for found in reports]
    how = (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, {_machine()}. `{_command(plan, *plan.only)}`; seeds from "
        f"{plan.seed} on, none of which was used for tuning. What each column means: [trial.md](trial.md)."
    )
    blind = (
        "`blind`: recall of as many tickets at random, and of one ticket a device every 30 days, whatever family they "
        "name; the latter costs about twelve false tickets a device-year."
    )
    return "\n".join(["# Results of the trial", "", how, "", *lines, "", blind, "", *_misses(reports)])


def _command(plan: Plan, *only: str) -> str:
    size = f" --devices {plan.devices}" if plan.devices else ""
    names = "".join(f" --only {name}" for name in only)
    years = f"--seed {plan.seed} --least-years {plan.least_years:g} --days {plan.days}"
    return f"wellkept trial all --out FOLDER {years}{size}{names}"


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    base, blind = found["baselines"], found["controls"]
    thresholds = base["thresholds"]
    return (
        f"`{found['scenario']}`",
        number(found["device_years"], 1),
        str(found["faults"]),
        f"{percent(found['recall'])} ({percents(found['recall_ci95'])})",
        f"{percent(found['found_share'])} ({percents(found['found_share_ci95'])})",
        " / ".join(days(found[f"lead_days_{each}"]) for each in ("p50", "p10", "slow_p50")),
        f"{number(found['false_per_device_year'], 3)} ({span(found['false_per_device_year_ci95'], 3)})",
        number(found["tickets_per_episode"]),
        f"{percent(found['top1'])} / {percent(found['top3'])}",
        f"{percent(found['rul_coverage90'])}, {days(found['rul_width_p50'])}",
        percent(found["before_failure"]),
        percent(found["first_time_fix"]),
        percent(found["repeat"]),
        " / ".join(
            percent(row["cost_ratio"] if row else None)
            for row in (base["repair_on_failure"], base["calendar"], thresholds)
        ),
        f"{percent(blind['random_same_rate']['recall'])}, {percent(blind['periodic_30_days']['recall'])}",
    )


def _misses(reports: list[dict[str, Any]]) -> list[str]:
    """Faults of which fewer than half were caught, over all scenarios: where to work next."""
    sums: dict[str, list[int]] = {}
    for found in reports:
        for name, row in found["by_fault"].items():
            both = sums.setdefault(name, [0, 0, 0])
            both[0] += row["n"]
            both[1] += row["caught"]
            both[2] += row["found"]
    lines = ["| fault | judged | caught | recall | found |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {n} | {caught} | {percent(caught / n)} | {percent(known / n)} |"
        for name, (n, caught, known) in sorted(
            sums.items(), key=lambda item: (item[1][1] / max(item[1][0], 1), item[0])
        )
        if n
    ]
    return ["## By fault, all scenarios together", "", *lines, ""]


def _commit() -> str:
    here = Path(__file__).parent
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)  # noqa: S603  (fixed words)
    return done.stdout.strip() or "unknown"


def _machine() -> str:
    cpu = platform.machine()
    cores = 0
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        cpu = value.strip() if name.strip() == "model name" else cpu
        cores += name.strip() == "processor"
    return f"{cpu}, {cores} cores, {platform.system()}, Python {platform.python_version()}"
