"""The links that open a single case: who holds one needs no login, so a person of ours can end them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.auth import Principal, TicketMover
from api.context import InTx, Tx
from api.reads import named
from api.v1.models import Moment
from api.v1.router import V1Router
from api.v1.service import read_ticket
from storage.access import end_case_links, links_of_case

router = V1Router()
_LINK: dict[str, Any] = {
    "id": "019a9547-3c00-7a11-8b6f-2f1f0f5d0031",
    "created": "2026-11-18T01:30:00Z",
    "expires": None,
    "revoked": None,
}
_EXAMPLE: dict[str, Any] = {"ticket": "019a9547-3c00-7a11-8b6f-2f1f0f5d0001", "items": [_LINK]}


class CaseLinkOut(BaseModel):
    """A link of a single case, without its secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINK]})

    id: UUID
    created: Moment
    expires: Moment | None
    revoked: Moment | None


class CaseLinksOut(BaseModel):
    """Oldest first; the links of the whole household stand under the household."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    ticket: UUID
    items: list[CaseLinkOut]


@router.get("/tickets/{ticket}/links", tags=["privacy"])
def case_links(ticket: UUID, who: TicketMover, tx: InTx) -> CaseLinksOut:
    """The links that open a case, without their secrets."""
    return _links_out(tx, who, ticket)


@router.post("/tickets/{ticket}/links/end", tags=["privacy"])
def case_links_end(ticket: UUID, who: TicketMover, tx: InTx) -> CaseLinksOut:
    """End all links of a case, as when a message went to a wrong address; the next message holds a new one."""
    read_ticket(tx, who, ticket)
    ended = end_case_links(tx.conn, ticket, now=tx.now)
    if ended:
        tx.office.log(ticket, tx.now, "links_ended", named(who), links=ended)
    return _links_out(tx, who, ticket)


def _links_out(tx: Tx, who: Principal, ticket: UUID) -> CaseLinksOut:
    read_ticket(tx, who, ticket)
    rows = links_of_case(tx.conn, ticket)
    return CaseLinksOut(
        ticket=ticket,
        items=[CaseLinkOut(id=r.id, created=r.created, expires=r.expires, revoked=r.revoked) for r in rows],
    )
