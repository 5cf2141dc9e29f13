"""Reads a scenario file; an error names file, line, key and what is allowed."""

from __future__ import annotations

import re
import tomllib
from functools import cache

import msgspec

from firmware_sim.scenario_check import problems
from firmware_sim.scenario_types import Scenario
from firmware_sim.toml_lines import Lines
from firmware_sim.type_errors import convert, explain
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.errors import WellkeptError

_AT_LINE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


class ScenarioError(WellkeptError):
    """A scenario that is wrong.

    Attributes:
        file: its name.
        key: dotted, with a number in brackets for each element of an array of tables.
        detail: what is wrong, and what is allowed.
        line: of the key, from 1; None when it has none.
    """

    def __init__(self, file: str, key: str, detail: str, line: int | None = None) -> None:
        where = f"{file}:{line}" if line is not None else file
        super().__init__(f"{where}: {key}: {detail}")
        self.file = file
        self.key = key
        self.detail = detail
        self.line = line


def read_scenario(text: str, file: str, catalogue: Catalogue | None = None) -> Scenario:
    """Read a scenario and check it.

    Args:
        text: TOML.
        file: its name, for errors.
        catalogue: what kinds, models and faults there are; by default the product's own.

    Raises:
        ScenarioError: it is wrong.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        found = _AT_LINE.search(str(cause))
        line = int(found["line"]) if found and found["line"] else len(text.splitlines())
        detail = _AT_LINE.sub("", str(cause))
        if detail == "Invalid date or datetime":
            detail = "no such date; write 2026-02-28, or a moment as 2026-03-02T00:00:00Z"
        raise ScenarioError(file, "syntax", detail, line) from cause
    lines = Lines(text)
    try:
        scenario: Scenario = convert(raw, Scenario)
    except msgspec.ValidationError as cause:
        key, detail = explain(str(cause), raw, Scenario)
        raise ScenarioError(file, key, detail, lines[key]) from cause
    for key, detail in problems(scenario, catalogue or _own_catalogue()):
        raise ScenarioError(file, key, detail, lines[key])
    return scenario


@cache
def _own_catalogue() -> Catalogue:
    return load_catalogue()
