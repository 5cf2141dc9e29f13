"""The envelope in which changes leave: CloudEvents 1.0 in JSON, the same by webhook and over the stream's server.

`id` is made of the change's number, so that a repeat, a replay and the other way of being told carry the same one.
`sequence` and `partitionkey` are the documented extensions of these names: what belongs to one ticket keeps its order.
"""

from __future__ import annotations

import json
from typing import Any

from servicedesk.hook_rows import Change

MEDIA_TYPE = "application/cloudevents+json"
FEED, TEST = "feed", "test"
_DIGITS = 19


def message_id(change: Change) -> str:
    """What tells a message from all others, whatever way and however often it is sent."""
    if change.kind == TEST:
        return f"test-{change.subject}"
    return f"{'reset' if change.kind == FEED else 'change'}-{change.no}"


def envelope(change: Change) -> dict[str, Any]:
    """The event of a change."""
    return {
        "specversion": "1.0",
        "id": message_id(change),
        "source": f"urn:wellkept:{change.org}",
        "type": f"wellkept.{change.kind}.{change.what}",
        "subject": change.subject,
        "time": change.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "sequence": str(change.no).zfill(_DIGITS),
        "partitionkey": str(change.ticket or change.subject),
        "data": _data(change),
    }


def encode(change: Change) -> bytes:
    """As it stands on the wire; the same change is always the same bytes."""
    return json.dumps(envelope(change), separators=(",", ":"), ensure_ascii=False).encode()


def _data(change: Change) -> dict[str, Any]:
    if change.kind in (FEED, TEST):
        return {"no": change.no}
    listed = change.kind == "notice"
    return {
        "no": change.no,
        "type": change.kind,
        "id": change.subject,
        "what": change.what,
        "state": change.state,
        "was": change.was,
        "href": None if listed else f"/v1/{change.kind}s/{change.subject}",
        "ticket": None if change.ticket is None else str(change.ticket),
    }
