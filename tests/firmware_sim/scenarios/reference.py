"""Writes the table of kinds in `docs/scenarios.md` anew: `python -m tests.firmware_sim.scenarios.reference`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from firmware_sim.physics import physics_of, simulated_kinds

PAGE = Path(__file__).parents[3] / "docs" / "scenarios.md"


def row(kind: str) -> str:
    """The line of a kind: parameters, channels, programmes."""
    physics = physics_of(kind)
    parameters = (one.name for one in fields(physics.parameters))
    cells = (parameters, physics.channels, getattr(physics, "programmes", ()))
    return f"| `{kind}` | " + " | ".join(_words(one) for one in cells) + " |"


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Replace the lines of all kinds."""
    text = PAGE.read_text(encoding="utf-8")
    for kind in simulated_kinds():
        text = re.sub(rf"^\| `{kind}` \|.*$", row(kind).replace("\\", "\\\\"), text, count=1, flags=re.MULTILINE)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
