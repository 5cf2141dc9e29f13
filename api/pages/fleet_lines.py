"""What a fleet has in common, as lines of a timeline and cells of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.i18n import Words
from servicedesk.fleet_rows import Shared, Trait
from servicedesk.shared_trait import SHARES


def fleet_line(t: Words, kind: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Icon and sentence of a line, or None when it is none of these."""
    if kind != SHARES:
        return None
    return "leave", shared_words(t, Shared(**{**body, "what": Trait(str(body["what"]))}))


def shared_words(t: Words, shared: Shared) -> str:
    """What those with a finding have in common: `6 of 6 run firmware 2.5.0; of the 30 others 4 do`."""
    counts: dict[str, object] = {
        "n": shared.members_having,
        "of": shared.members,
        "name": shared.name,
        "m": shared.others_having,
        "others": shared.others,
    }
    if shared.what is Trait.FIRMWARE:
        return t.plain("{n} of {of} run firmware {name}; of the {others} others {m} do", **counts)
    return t.plain("{n} of {of} are of lot {name}; of the {others} others {m} are", **counts)
