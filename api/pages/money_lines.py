"""Timeline lines of quotes, bills, parts, warranty and other ways of repair in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.i18n import Words


def money_line(t: Words, kind: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Icon and sentence of a line, or None when it is none of these."""
    if kind in ("part_ordered", "evidence"):
        return _part_or_proof(t, kind, body)
    state = str(body.get("new"))
    match kind:
        case "quote":
            return "coin", t.plain("Quote is now: {state}", state=quote_name(t, state))
        case "billed":
            return "coin", t.plain("Billed: {amount}", amount=f"{body.get('total')} {body.get('currency')}")
        case "way_moved":
            return "van", t.plain("Repair elsewhere is now: {state}", state=way_name(t, state))
        case _:
            return {
                "way": ("van", t.plain("To be mended another way: {name}", name=body.get("name"))),
                "merged": ("right", t.plain("{ref} was merged into this ticket", ref=body.get("ref"))),
                "warranty_denied": ("shield", t.plain("The warranty was denied")),
                "warranty_appealed": ("shield", t.plain("The owner appealed")),
                "warranty_appeal": ("shield", t.plain("The appeal was answered")),
                "quote_undelivered": ("tri", t.plain("The quote has not arrived")),
                "verdict": ("checkc", t.plain("The detector was told how it turned out")),
                "taken_up": ("flag", t.plain("A suggestion was taken up")),
            }.get(kind)


def _part_or_proof(t: Words, kind: str, body: Mapping[str, Any]) -> tuple[str, str]:
    if kind == "evidence":
        return "flag", t.plain("Evidence for the warranty: {code}", code=_spelled(body.get("code")))
    day = t.short_day(datetime.fromisoformat(str(body["arrives"])))
    sku, quantity = body.get("sku"), body.get("quantity")
    return "box", t.plain("Ordered {quantity} × {sku}, here by {day}", quantity=quantity, sku=sku, day=day)


def quote_name(t: Words, state: str) -> str:
    """A quote's state."""
    return {
        "draft": t.plain("Draft"),
        "sent": t.plain("Sent"),
        "delivered": t.plain("Delivered"),
        "seen": t.plain("Seen"),
        "approved": t.plain("Approved"),
        "declined": t.plain("Declined"),
        "expired": t.plain("Expired"),
    }.get(state, state)


def way_name(t: Words, state: str) -> str:
    """How far a repair elsewhere is."""
    return {
        "booked": t.plain("Booked"),
        "picked_up": t.plain("Picked up"),
        "received": t.plain("Received"),
        "on_bench": t.plain("On the bench"),
        "mended": t.plain("Mended"),
        "returned": t.plain("Returned"),
        "cancelled": t.plain("Cancelled"),
    }.get(state, state)


def _spelled(code: object) -> str:
    return str(code).replace("_", " ")
