"""Engineers' list of devices: found by name, serial number, model, room or kind among all that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.auth import LabPerson, staff_scope
from api.context import InContext, InTx
from api.kinds import kinds_named
from api.pages.case import ICONS
from api.pages.lab_words import Health, ago, health_of, kind_title, tabs
from api.pages.shell import staff_page, staff_words
from storage.read_lab import LabDevice, Wanted, count_health, count_kinds, search_devices

router = APIRouter(include_in_schema=False)
_ROWS = 50
_HEALTHS = ("faulty", "unknown", "ok")


@dataclass(frozen=True, slots=True)
class Row:
    """A device with its words."""

    device: LabDevice
    icon: str
    kind: str
    health: Health
    seen: str


@router.get("/lab")
def lab(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabPerson,
    tx: InTx,
    context: InContext,
    q: Annotated[str, Query(max_length=80)] = "",
    kind: Annotated[str, Query(max_length=64)] = "",
    health: Annotated[str, Query(max_length=16)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Devices, fifty a page, in the order of their registration."""
    t = staff_words(request, person)
    scope = staff_scope(person)
    kinds = count_kinds(tx.conn, scope)
    sought = q.replace("\0", "").strip()
    wanted = Wanted(
        q=sought,
        kinds=kinds_named(context.catalogue, sought),
        kind=kind if kind in context.catalogue.kinds else None,
    )
    counts = count_health(tx.conn, scope, wanted)
    chosen = health if health in _HEALTHS else ""
    total = counts.get(chosen, 0) if chosen else sum(counts.values())
    last = max(1, -(-total // _ROWS))
    at = min(page, last)
    narrowed = Wanted(wanted.q, wanted.kinds, wanted.kind, chosen or None)
    rows = search_devices(tx.conn, scope, narrowed, offset=(at - 1) * _ROWS, limit=_ROWS)
    filters = {"q": sought, "kind": wanted.kind or "", "health": chosen}

    def address(**changed: object) -> str:
        kept = {name: value for name, value in (filters | changed).items() if value}
        return "/lab" + ("?" + urlencode(kept) if kept else "")

    return staff_page(
        request,
        context,
        person,
        "lab.html",
        t,
        tabs=tabs(t),
        rows=[
            Row(
                each,
                ICONS.get(each.kind, "plug"),
                kind_title(t, context.catalogue, each.kind),
                health_of(t, each.health, each.last_t),
                ago(t, each.last_t, tx.now),
            )
            for each in rows
        ],
        kinds=[(name, kind_title(t, context.catalogue, name), n) for name, n in kinds.items()],
        filters=filters,
        healths=[
            ("", t("All"), sum(counts.values()), address(health="")),
            ("faulty", t("Fault developing"), counts.get("faulty", 0), address(health="faulty")),
            ("unknown", t("No data"), counts.get("unknown", 0), address(health="unknown")),
            ("ok", t("Healthy"), counts.get("ok", 0), address(health="ok")),
        ],
        total=total,
        everything=sum(kinds.values()),
        first=(at - 1) * _ROWS + 1,
        last=(at - 1) * _ROWS + len(rows),
        before=address(page=at - 1 if at > 2 else "") if at > 1 else "",  # noqa: PLR2004  (the first page has no number)
        after=address(page=at + 1) if at < last else "",
    )
