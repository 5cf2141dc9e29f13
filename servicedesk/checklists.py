"""What a technician does at an appliance, step by step: safety, test, repair, proof; and what goes into the van."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from servicedesk.day_rows import Tick
from telemetry.catalogue import FaultSpec, Text


class Phase(StrEnum):
    """The parts of a visit, in their order."""

    VAN = "van"
    SAFETY = "safety"
    TEST = "test"
    REPAIR = "repair"
    PROOF = "proof"


_OF_KIND = (Phase.SAFETY, Phase.PROOF)
_OF_FAULT = (Phase.TEST, Phase.REPAIR)


@dataclass(frozen=True, slots=True)
class Step:
    """A line that is ticked.

    Attributes:
        id: `safety-1`, or `van:RF-FAN-120` for a part.
    """

    id: str
    phase: Phase
    text: Text


def checklist(kind: str, fault: str | None, parts: Sequence[tuple[str, Text]]) -> tuple[Step, ...]:
    """The list of a visit.

    Args:
        kind: of the appliance; one that nobody wrote a list for has its parts alone.
        fault: of the catalogue; unknown, there is nothing of test and repair.
        parts: SKU and title of what the visit brings.
    """
    table = _table()
    told: dict[Phase, list[Text]] = {phase: table["kind"].get(kind, {}).get(phase, []) for phase in _OF_KIND}
    about = table["fault"].get(kind, {}).get(fault, {})
    told |= {phase: about.get(phase, []) for phase in _OF_FAULT}
    van = [Step(f"{Phase.VAN}:{sku}", Phase.VAN, title) for sku, title in parts]
    steps = [Step(f"{phase}-{n}", phase, text) for phase in Phase for n, text in enumerate(told.get(phase, []), 1)]
    return (*van, *steps)


def of_visit(kind: str, fault: FaultSpec | None, fault_id: str | None, parts: Sequence[str]) -> tuple[Step, ...]:
    """The list of a visit that brings some parts; those the catalogue does not name are called by their SKU."""
    names = {part.sku: part.title for part in fault.parts} if fault is not None else {}
    return checklist(kind, fault_id, [(sku, names.get(sku, Text(sku, sku))) for sku in parts])


def open_steps(steps: Sequence[Step], ticks: Sequence[Tick], phase: Phase | None = None) -> list[Step]:
    """The steps that are not ticked, of one phase or of all."""
    done = {each.step for each in ticks if each.done}
    return [step for step in steps if step.id not in done and phase in (None, step.phase)]


@cache
def _table() -> dict[str, Any]:
    """Texts by `kind.KIND.PHASE` and `fault.KIND.FAULT.PHASE`."""
    raw = tomllib.loads(files("servicedesk").joinpath("checklists.toml").read_text(encoding="utf-8"))
    kinds = {kind: _phases(each) for kind, each in raw["kind"].items()}
    faults = {kind: {name: _phases(each) for name, each in found.items()} for kind, found in raw["fault"].items()}
    return {"kind": kinds, "fault": faults}


def _phases(raw: dict[str, list[dict[str, str]]]) -> dict[Phase, list[Text]]:
    return {Phase(phase): [Text(**text) for text in texts] for phase, texts in raw.items()}
