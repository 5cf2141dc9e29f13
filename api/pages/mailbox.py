"""The built-in mail reader: what households were told, with their links. Embedded only."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import InContext, InTx
from api.pages.shell import staff_page, staff_words
from api.problems import not_found
from api.reads import note_read
from storage.read_desk import get_notice, list_notices

router = APIRouter(include_in_schema=False)
_MOST = 100


@router.get("/mailbox")
def mailbox(request: Request, person: DeskPerson, tx: InTx, context: InContext, notice: UUID | None = None) -> Response:
    """Messages as they were sent, the newest first."""
    if not context.settings.mailbox:
        raise not_found("page")
    note_read(tx, person, "notices")
    scope = staff_scope(person)
    letters = list_notices(tx.conn, scope, household=None, after=None, limit=_MOST, sent_only=True)
    chosen = get_notice(tx.conn, scope, notice) if notice else (letters[0] if letters else None)
    words = staff_words(request, person, chosen.tz if chosen else "UTC")
    link = urlsplit(chosen.link).path if chosen else ""
    return staff_page(request, context, person, "mailbox.html", words, letters=letters, chosen=chosen, link=link)
