"""What people do on a ticket's page. Nothing typed is lost: what cannot be saved stands in its form again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import DeskPerson, TicketPerson, check_csrf, staff_scope
from api.context import InContext, InTx
from api.pages.shell import actor_of, staff_words
from api.pages.ticket import Trouble, found_ticket, show_ticket
from api.problems import not_found
from api.reads import note_read
from servicedesk.calling import Call, CallOutcome, acknowledge, log_call
from servicedesk.contact import answer
from servicedesk.covering import SameReviewerError, deny, record_evidence, settle_appeal
from servicedesk.errors import DeskError, IllegalMoveError, NeedsReasonError, WindowGoneError
from servicedesk.merging import NotAlikeError, merge
from servicedesk.noting import hand_over, note
from servicedesk.ordering import order_part
from servicedesk.planning import confirm
from servicedesk.quoting import draft_quote, send_quote
from servicedesk.reporting import complain
from servicedesk.states import TicketState
from servicedesk.tiers import STANDARD, VIP
from servicedesk.visiting import move_ticket
from servicedesk.warranty import DenialError
from servicedesk.ways import take_way
from storage.read_desk import TicketView, get_ticket_by_ref, timeline

router = APIRouter(prefix="/tickets/{ref}", include_in_schema=False)
_REFUSED = 409
_IMAGE = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=3600",
}
Csrf = Annotated[str, Form()]
Words = Annotated[str, Form(max_length=2000)]
Reason = Annotated[str, Form(max_length=500)]
Version = Annotated[int, Form()]
Seen = Annotated[int, Form(ge=-1)]


class _Desk:
    """One change of one ticket by one person: made, or shown with what stands in its way."""

    def __init__(  # noqa: PLR0917  (all of them are the change)
        self, request: Request, tx: InTx, context: InContext, person: TicketPerson, ref: str, csrf: Csrf = ""
    ) -> None:
        check_csrf(request, csrf)
        self.request, self.tx, self.context, self.person = request, tx, context, person
        self.office, self.now = tx.office, tx.now
        self.row: TicketView = found_ticket(tx, person, ref)
        self.actor = actor_of(person)
        self.t = staff_words(request, person, self.row.tz)

    def newest(self) -> int:
        """The last line of the timeline."""
        return max((each.id for each in timeline(self.tx.conn, self.row.id)), default=0)

    def back(self, anchor: str = "") -> Response:
        """To the page as it stands now."""
        return RedirectResponse(f"/tickets/{self.row.ref}{anchor}", 303)

    def changed(self, seen: int, **kept: str) -> Response:
        """Somebody was faster: who did what since then, and the form as it was."""
        trouble = Trouble(
            self.t.plain("This ticket changed while you were writing."),
            self.t.plain("Nothing was saved yet. Your text is kept: look at what is new, then decide again."),
            kept,
            seen,
        )
        return self._show(trouble)

    def make(self, change: Callable[[], object], anchor: str = "", **kept: str) -> Response:
        """Make a change in a transaction of its own, or say why not."""
        try:
            with self.tx.conn.transaction():
                change()
        except (DeskError, ValueError) as error:
            return self._show(Trouble(*self._words(error), kept))
        return self.back(anchor)

    def _show(self, trouble: Trouble) -> Response:
        fresh = get_ticket_by_ref(self.tx.conn, staff_scope(self.person), self.row.ref) or self.row
        return show_ticket(self.request, self.tx, self.context, self.person, fresh, trouble, _REFUSED)

    def _words(self, error: Exception) -> tuple[str, str]:
        t = self.t
        known: list[tuple[type[Exception], str, str]] = [
            (NeedsReasonError, t.plain("This asks for a reason."), t.plain("Say why in a few words, then try again.")),
            (IllegalMoveError, t.plain("That move is not allowed now."), t.plain("The allowed ones stand below.")),
            (WindowGoneError, t.plain("That window has gone."), t.plain("Plan the visit again on the board.")),
            (
                NotAlikeError,
                t.plain("These two tickets cannot become one."),
                t.plain("They must be open and of one appliance."),
            ),
            (DenialError, t.plain("No denial without evidence."), t.plain("Record first what the rule rests on.")),
            (
                SameReviewerError,
                t.plain("Whoever decided does not judge the appeal."),
                t.plain("Somebody else answers it."),
            ),
        ]
        found = ((heading, detail) for kind, heading, detail in known if isinstance(error, kind))
        return next(found, (t.plain("That did not work"), t.plain("Nothing was saved.")))


InDesk = Annotated[_Desk, Depends()]
"""The change that a form asks for, from a person who may make it."""


@router.post("/moves")
def ticket_move(
    desk: InDesk,
    to: Annotated[str, Form()],
    reason: Reason = "",
    version: Version = -1,
    seen: Seen = -1,
) -> Response:
    """Move the ticket by hand, or note the owner's yes."""
    if version not in (-1, desk.row.version):
        return desk.changed(seen if seen >= 0 else desk.newest(), reason=reason)

    def change() -> None:
        if to == "confirm" and desk.row.visit is not None:
            confirm(desk.office, desk.row.visit, desk.now, desk.actor)
        else:
            move_ticket(desk.office, desk.row.id, TicketState(to), desk.now, desk.actor, reason=reason.strip() or None)

    return desk.make(change, reason=reason)


@router.post("/words")
def ticket_words(
    desk: InDesk,
    words: Words,
    to: Annotated[str, Form()] = "note",
    seen: Seen = -1,
) -> Response:
    """A note for us, or an answer to the owner by the household's channels.

    A note never clashes. An answer does when the ticket went on since its writer looked: nobody answers the past.
    """
    kept = {"words": words, "to": to}
    if not words.strip():
        return desk.back("#write")
    if to != "owner":
        return desk.make(lambda: note(desk.office, desk.row.id, words, desk.now, desk.actor), "#timeline", **kept)
    if seen not in (-1, desk.newest()):
        return desk.changed(seen, **kept)
    return desk.make(lambda: answer(desk.office, desk.row.id, words.strip(), desk.now, desk.actor), "#timeline", **kept)


@router.post("/calls")
def ticket_call(
    desk: InDesk,
    outcome: Annotated[str, Form()],
    words: Words = "",
    number: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Note what came of a call."""
    said = words.strip()
    if outcome == "complaint":
        return desk.make(lambda: complain(desk.office, desk.row.id, said, desk.now), call_words=words)
    call = Call(CallOutcome(outcome) if outcome in set(CallOutcome) else CallOutcome.NO_ANSWER, said, number or None)
    return desk.make(lambda: log_call(desk.office, desk.row.id, call, desk.now, desk.actor), call_words=words)


@router.post("/hands")
def ticket_hands(
    desk: InDesk,
    to: Annotated[str, Form(max_length=80)],
) -> Response:
    """Put the case into somebody's hands; taking it oneself is taking it on."""
    return desk.make(lambda: hand_over(desk.office, desk.row.id, to, desk.now, desk.actor))


@router.post("/acknowledgement")
def ticket_acknowledge(desk: InDesk) -> Response:
    """Take the case on: nobody further up is told."""
    return desk.make(lambda: acknowledge(desk.office, desk.row.id, desk.now, desk.actor))


@router.post("/tier")
def ticket_tier(
    desk: InDesk,
    tier: Annotated[str, Form(max_length=20)],
    named: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Put the ticket's household into a tier, with the person of ours who is its contact."""
    if desk.row.household is None:
        raise not_found("household")
    chosen = tier if tier in (STANDARD, VIP) else STANDARD
    desk.office.desk.levels.clocks.set_tier(desk.row.household, chosen, named.strip())
    return desk.back("#household")


@router.post("/merge")
def ticket_merge(
    desk: InDesk,
    into: Annotated[str, Form(max_length=40)],
) -> Response:
    """End this ticket as part of another one; leads to the one that stays."""
    other = found_ticket(desk.tx, desk.person, into.strip().upper())
    done = desk.make(lambda: merge(desk.office, desk.row.id, other.id, desk.now, desk.actor), into=into)
    return RedirectResponse(f"/tickets/{other.ref}", 303) if done.status_code != _REFUSED else done


@router.post("/quotes")
def ticket_quote(
    desk: InDesk,
    quote: Annotated[UUID | None, Form()] = None,
    reason: Reason = "",
) -> Response:
    """Draft a quote, or send the draft to the owner."""

    def change() -> None:
        if quote is None:
            draft_quote(desk.office, desk.row.id, desk.now, desk.actor, reason=reason.strip() or None)
        elif desk.office.desk.quotes.ticket_of(quote) != desk.row.id:
            raise not_found("quote")
        else:
            send_quote(desk.office, quote, desk.now, desk.actor)

    return desk.make(change, "#money")


@router.post("/parts")
def ticket_part(
    desk: InDesk,
    sku: Annotated[str, Form(max_length=80)],
    quantity: Annotated[int, Form(ge=1, le=100)] = 1,
) -> Response:
    """Order a part for this ticket."""

    def change() -> None:
        ticket = desk.office.desk.tickets.get(desk.row.id)
        order_part(desk.office, ticket.org, sku, quantity, desk.now, actor=desk.actor, ticket=ticket)

    return desk.make(change, "#parts")


@router.post("/ways")
def ticket_way(
    desk: InDesk,
    way: Annotated[UUID, Form()],
) -> Response:
    """Have it mended another way than by a visit."""
    return desk.make(lambda: take_way(desk.office, desk.row.id, way, desk.now, desk.actor), "#ways")


@router.post("/evidence")
def ticket_evidence(
    desk: InDesk,
    code: Annotated[str, Form(max_length=80)],
    note: Reason = "",
) -> Response:
    """Record what was found at the appliance; it denies nothing by itself."""
    return desk.make(
        lambda: record_evidence(desk.office, desk.row.id, code, desk.now, desk.actor, note=note),
        "#cover",
        note=note,
    )


@router.post("/denial")
def ticket_denial(
    desk: InDesk,
    rule: Annotated[str, Form(max_length=80)],
) -> Response:
    """Deny the warranty by a rule whose evidence was recorded."""
    return desk.make(lambda: deny(desk.office, desk.row.id, rule, desk.now, desk.actor), "#cover")


@router.post("/appeal")
def ticket_appeal(
    desk: InDesk,
    decision: Annotated[UUID, Form()],
    verdict: Annotated[str, Form()],
    reason: Reason = "",
) -> Response:
    """Answer the owner's appeal; whoever denied does not."""
    mine = {each.id for each in desk.office.desk.money.covers.of_ticket(desk.row.id)}
    if decision not in mine:
        raise not_found("decision")
    upheld = verdict == "upheld"
    return desk.make(
        lambda: settle_appeal(desk.office, decision, desk.now, desk.actor, upheld=upheld, reason=reason),
        "#cover",
        reason=reason,
    )


@router.get("/photos/{photo}")
def ticket_photo(ref: str, photo: UUID, person: DeskPerson, tx: InTx) -> Response:
    """A photo of the ticket."""
    row = found_ticket(tx, person, ref)
    if photo not in {each.id for each in tx.office.desk.care.help.photos(row.id)}:
        raise not_found("photo")
    found = tx.office.desk.care.help.photo(photo)
    note_read(tx, person, f"photo {photo}", row.household)
    return Response(found.content, media_type=found.media, headers=_IMAGE)
