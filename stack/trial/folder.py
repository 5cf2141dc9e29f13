"""A trial's folder: its record, what is made of it, and how fast it ran.

| file | what |
|---|---|
| `report.json`, `report.md`, `report.html` | the report; the same bytes for the same seed |
| `record.json.gz` | what it is made of; likewise |
| `timing.json` | when, where and how fast: differs from run to run |
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from firmware_sim.scenario import Scenario
from stack.errors import StackError
from stack.trial.markdown import markdown
from stack.trial.matching import match
from stack.trial.page import Words, page
from stack.trial.record import TrialRecord
from stack.trial.report import encode, report
from telemetry.catalogue import load_catalogue

REPORT, MARKDOWN, PAGE = "report.json", "report.md", "report.html"
RECORD, TIMING, SCENARIO = "record.json.gz", "timing.json", "scenario.json"


@dataclass(frozen=True, slots=True)
class Written:
    """A report and where it lies."""

    report: dict[str, Any]
    folder: Path


def write(folder: Path, record: TrialRecord, scenario: Scenario, how: str | None = None) -> Written:
    """Score a record and write all files but the timing.

    Args:
        folder: made when it is not there.
        record: of the trial.
        scenario: it ran: titles, costs, models and faults.
        how: what to type to run it again, as a sentence; by default the one command of one trial.
    """
    catalogue = scenario.catalogue(load_catalogue())
    again = how or f"Run it again: {command_of(record)}"
    found = report(record, scenario.costs, catalogue)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).write_bytes(gzip.compress(record.encode(), compresslevel=6, mtime=0))
    (folder / SCENARIO).write_bytes(msgspec.json.format(msgspec.json.encode(scenario, order="deterministic")))
    (folder / MARKDOWN).write_text(markdown(found, scenario.title, again), encoding="utf-8")
    html = page(record, match(record), found, Words(scenario.title, again), catalogue)
    (folder / PAGE).write_text(html, encoding="utf-8")
    (folder / REPORT).write_text(encode(found), encoding="utf-8")
    return Written(found, folder)


def command_of(record: TrialRecord) -> str:
    """What runs a trial again."""
    size = f"--devices {len(record.devices)} --days {record.days} --seed {record.seed}"
    return f"wellkept trial {record.scenario} {size}"


def read_record(folder: Path) -> tuple[TrialRecord, Scenario]:
    """What a folder's trial left behind, and the scenario it ran.

    Raises:
        StackError: there is none, or it is of another version.
    """
    try:
        record = TrialRecord.decode(gzip.decompress((folder / RECORD).read_bytes()))
        scenario = msgspec.json.decode((folder / SCENARIO).read_bytes(), type=Scenario)
    except FileNotFoundError as cause:
        raise StackError(f"{folder} holds no trial: {cause.filename} is missing") from cause
    except (msgspec.DecodeError, gzip.BadGzipFile) as cause:
        raise StackError(f"{folder}: not a trial of this version: {cause}") from cause
    return record, scenario


def read_report(folder: Path) -> dict[str, Any]:
    """A folder's report.

    Raises:
        StackError: there is none.
    """
    path = folder if folder.suffix == ".json" else folder / REPORT
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise StackError(f"no report in {folder}; `wellkept trial SCENARIO --out {folder}` writes one") from cause
    except json.JSONDecodeError as cause:
        raise StackError(f"{path}: not a report: {cause}") from cause
    if not isinstance(found, dict) or "scenario" not in found:
        raise StackError(f"{path}: not a report of a trial")
    return found
