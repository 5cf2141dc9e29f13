"""Live updates of staff pages: the feed of changes by the session's cookie, for a few lines of our own script."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse

from api.auth import DeskPerson, session_secret, staff_scope
from api.context import InContext, InTx, Tx
from api.v1.events import Watch, open_stream
from storage.access import find_session

router = APIRouter(include_in_schema=False)


@router.get("/dispatch/events")
def dispatch_events(
    request: Request,
    person: DeskPerson,
    tx: InTx,
    context: InContext,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> StreamingResponse:
    """What the dispatch list shows, as it changes; ends with the session."""
    secret = session_secret(request)

    def still(later: Tx) -> bool:
        return find_session(later.conn, secret, now=later.wall) is not None

    return open_stream(
        request, tx, context, Watch(staff_scope(person), ("ticket", "visit"), None, still), last_event_id
    )
