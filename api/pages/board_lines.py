"""Timeline lines of the board's moves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.i18n import Words
from servicedesk.model import Technician


def board_line(
    t: Words, kind: str, body: Mapping[str, Any], technicians: Mapping[str, Technician]
) -> tuple[str, str] | None:
    """Icon and sentence of a line, or None when it is none of these."""
    match kind:
        case "placed":
            start = datetime.fromisoformat(str(body["start"]))
            found = technicians.get(str(body.get("technician")))
            name = found.name if found else t.plain("Technician")
            when = t.plain("{day}, {window}", day=t.weekday(start), window=t.time(start))
            return "cal", t.plain("Placed by hand with {name}: {when}", name=name, when=when)
        case "undone":
            return "undo", t.plain("The move was taken back")
        case "locked":
            return "lock", t.plain("The visit was locked")
        case "unlocked":
            return "lock", t.plain("The visit was unlocked")
        case _:
            return None
