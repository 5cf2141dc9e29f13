"""`/v1/events`: what changes, as it changes, and nothing missed across lost connections."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated

from fastapi import Header, Query, Request
from starlette.responses import StreamingResponse

from api.auth import Reader, bearer_secret
from api.context import Context, InContext, InTx, Tx
from api.feed import Feed
from api.problems import invalid, problem
from api.said import said
from api.stream import Batch, Frame, stream
from api.v1.models import ChangeOut
from api.v1.router import V1Router
from servicedesk.hook_rows import KINDS
from storage.access import Role, find_token
from storage.api_events import Change, Standing, read_changes, standing
from storage.failures import ALL
from storage.read_models import Scope

router = V1Router()
_AT_ONCE = 200
_LONGEST_NO = 18
RESET = "reset"


@router.get("/events", tags=["events"], response_class=StreamingResponse)
def events(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    who: Reader,
    tx: InTx,
    context: InContext,
    types: Annotated[
        str | None, Query(description="one or several of ticket, visit, quote, notice, finding, device")
    ] = None,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="the last `id` that you have seen; go on behind it")
    ] = None,
) -> StreamingResponse:
    """Server-sent events of tickets, visits, quotes, notices, findings and device health, by the order of commits.

    Each event names what changed and where to read it. Without `Last-Event-ID` the stream begins now, and its first
    `id` says where that is. Events are kept for seven days; who comes later gets the event `reset` and reads the
    lists anew.
    """
    secret = bearer_secret(request)

    def still(later: Tx) -> bool:
        token = find_token(later.conn, secret)
        return token is not None and token.valid_at(wall=later.wall, fleet=later.now)

    technician = who.technician if who.role is Role.TECHNICIAN else None
    return open_stream(request, tx, context, Watch(who.scope, kinds_of(types), technician, still), last_event_id)


class Watch:
    """What a reader may see and wants to.

    Args:
        scope: of the asker.
        kinds: of changes.
        technician: whose visits alone are seen, or None.
        still: whether the asker may still see anything.
    """

    def __init__(
        self, scope: Scope, kinds: Collection[str], technician: str | None, still: Callable[[Tx], bool]
    ) -> None:
        self.scope = scope
        self.kinds = kinds
        self.technician = technician
        self.still = still

    def look(self, tx: Tx, after: int) -> Batch:
        """What stands behind a number."""
        if not self.still(tx):
            return Batch((), after, ends=True)
        reach = standing(tx.conn)
        if not _kept(reach, after):
            return Batch((Frame(reach.newest, RESET, "{}"),), reach.newest)
        found = read_changes(
            tx.conn,
            self.scope,
            after=after,
            upto=reach.newest,
            kinds=self.kinds,
            technician=self.technician,
            limit=_AT_ONCE,
        )
        more = len(found) == _AT_ONCE
        return Batch([_frame(each) for each in found], found[-1].no if more else reach.newest, more)


def open_stream(request: Request, tx: Tx, context: Context, watch: Watch, last: str | None) -> StreamingResponse:
    """A stream from the number a reader has seen, or from now.

    Raises:
        ProblemError: 400, the number is none; 429, all places are taken.
    """
    if last is not None and not (last.isascii() and last.isdigit() and len(last) <= _LONGEST_NO):
        raise problem("bad-cursor", said("Last-Event-ID is the `id` of an event of this stream"))
    feed: Feed = request.app.state.feed
    after = standing(tx.conn).newest if last is None else int(last)
    place = feed.place()
    if place is None:
        detail = said("all streams of this server are taken; come back, or ask for lists instead")
        raise problem("too-many-requests", detail, headers={"Retry-After": "10"})

    def look(after: int) -> Batch:
        try:
            with context.begin() as later:
                return watch.look(later, after)
        except ALL:
            # The reader comes back, and goes on where it was.
            return Batch((), after, ends=True)

    return stream(feed, place, Batch((Frame(after),), after), look)


def kinds_of(types: str | None) -> Collection[str]:
    """The kinds of a comma-separated filter.

    Raises:
        ProblemError: 422, one is not a kind.
    """
    if types is None:
        return KINDS
    asked = [each.strip() for each in types.split(",")]
    for each in asked:
        if each not in KINDS:
            raise invalid(said("'{name}' is not a type of event", name=each), allowed=list(KINDS))
    return asked


def _kept(reach: Standing, after: int) -> bool:
    return reach.forgotten <= after <= reach.newest


def _frame(change: Change) -> Frame:
    href = None if change.kind == "notice" else f"/v1/{change.kind}s/{change.subject}"
    shown = ChangeOut(
        type=change.kind,
        id=change.subject,
        what=change.what,
        state=change.state,
        was=change.was,
        href=href,
        ticket=change.ticket,
    )
    return Frame(change.no, change.kind, shown.model_dump_json())
