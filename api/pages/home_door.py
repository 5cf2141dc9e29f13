"""A link as the door to a household's own pages: its own link opens them, the link of a case says how to get one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from api.context import InTx, Tx
from api.i18n import Words, zone_of
from api.pages.door import LinkError, back_to, chosen_language, places, query, valid_link
from servicedesk.model import Household
from storage.read_desk import get_ticket
from storage.read_devices import DeviceView, get_device
from storage.read_models import Scope


@dataclass(slots=True)
class Home:
    """A household behind a link.

    Attributes:
        ticket: the case that the link opens instead, where it is not the household's own link.
        q: what every address carries on.
    """

    household: Household
    words: Words
    base: str
    q: str
    ticket: UUID | None

    @property
    def scope(self) -> Scope:
        """What its pages read."""
        return Scope(household=self.household.id)


def open_home(token: str, request: Request, tx: InTx) -> Home:
    """The household of a link.

    Raises:
        LinkError: the link opens nothing, or its case belongs to no household.
    """
    row = valid_link(token, tx)
    household = row.household
    if row.ticket is not None:
        ticket = get_ticket(tx.conn, Scope(ticket=row.ticket), row.ticket)
        household = ticket.household if ticket is not None else None
    found = tx.office.desk.people.household(household) if household is not None else None
    if found is None:
        raise LinkError(expired=True)
    chosen = chosen_language(request)
    case = request.query_params.get("case") if row.household is not None else None
    words = Words(chosen or found.lang, zone_of(found.tz))
    return Home(found, words, f"/o/{token}", query(case=case, lang=chosen), row.ticket)


InHome = Annotated[Home, Depends(open_home)]


def own_home(home: InHome) -> Home:
    """The household of its own link: nothing is changed by the link of a case.

    Raises:
        LinkError: it is the link of a case.
    """
    if home.ticket is not None:
        raise LinkError(expired=False)
    return home


OwnHome = Annotated[Home, Depends(own_home)]


def home_links(home: Home) -> dict[str, Any]:
    """What templates make addresses of, and the pages behind the link."""
    case = home.ticket is not None or "case=" in home.q
    return {"base": home.base, "q": home.q, "nav": places(home.words, case=case)}


def home_back(home: Home, path: str, **flags: str) -> RedirectResponse:
    """To a page behind the same link, with what became of the choice."""
    return back_to(home.base, home.q, path, **flags)


def of_household(tx: Tx, home: Home, device: str) -> DeviceView:
    """One of the household's devices.

    Raises:
        LinkError: it is none.
    """
    found = get_device(tx.conn, home.scope, home.household.org, device)
    if found is None:
        raise LinkError(expired=False)
    return found
