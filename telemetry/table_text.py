"""Values as cells of a CSV file that people open in a spreadsheet."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: object) -> str:
    """A value as text; times in UTC with Z; text that a spreadsheet would run as a formula stands behind a '."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool | dict) or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return _safe(";".join(value))
    # A number is no formula, even below zero.
    return str(value) if isinstance(value, date | int | float) else _safe(str(value))


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """Members of members by dotted names: `window.start`."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and value:
            found |= {f"{name}.{inner}": each for inner, each in flat(value).items()}
        else:
            found[name] = value
    return found


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
