"""The verbs of a command, for tests that hold for every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def verbs(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (typer's own commands)
    for name, sub in getattr(command, "commands", {}).items():
        yield from verbs(sub, f"{path} {name}".strip())
    if not hasattr(command, "commands"):
        yield path, command
