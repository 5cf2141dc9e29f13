"""The report of a repair: what was wrong, what was done, the curve that proves it, the bill, and the owner's word."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from markupsafe import Markup

from api.auth import same_origin
from api.context import InTx, Tx
from api.i18n import Words
from api.pages.case import Case
from api.pages.door import InDoor, LinkError, back, case_of, links, take_note
from api.pages.owner_told import in_wechat
from api.pages.prices import part_title, priced, rule_words
from api.pages.render import PAGE_HEADERS, render
from servicedesk.covering import verdict_on
from servicedesk.errors import AlreadyOpenError, DeskError, UnknownError
from servicedesk.model import OutcomeCode
from servicedesk.reporting import guaranteed_until, not_fixed
from servicedesk.states import TICKET_ENDED, TicketState, VisitState
from servicedesk.survey import rate
from storage.read_desk import VisitView

router = APIRouter(prefix="/o", include_in_schema=False)
_STYLE = re.compile(r'<link rel="stylesheet" href="/static/([\w./-]+)\?v=\w+">')
_OUTSIDE = re.compile(r'<link rel="icon"[^>]*>\n?|<a href="\?[^"]*" lang="[\w-]+" hreflang="[\w-]+">[^<]*</a>')


@router.get("/{token}/report")  # noqa: FAST003  (taken by the door)
def report_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """The report as it stands: before the repair, while it is being proven, proven, or taken up again."""
    case, t = case_of(door), door.words
    take_note(tx, case)
    values = _values(tx, case) | links(door) | {"wechat": in_wechat(request)}
    return render(request, "owner_report.html", t, told=_told(request, t), saved=False, **values)


@router.get("/{token}/report.html")  # noqa: FAST003  (taken by the door)
def report_file(request: Request, door: InDoor, tx: InTx) -> Response:
    """The report as one file that needs nothing else; without the link that opened it."""
    case, t = case_of(door), door.words
    page = render(request, "owner_report.html", t, told=None, saved=True, wechat=False, **_values(tx, case))
    text = _OUTSIDE.sub("", _STYLE.sub(_inlined, bytes(page.body).decode()))
    name = f"{case.ticket.ref}.html"
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/{token}/photos/{photo}")  # noqa: FAST003  (taken by the door)
def photo_file(door: InDoor, tx: InTx, photo: UUID) -> Response:
    """A photo of the case. Its type is one of three that hold pictures alone, as it was told by its content."""
    case = case_of(door)
    try:
        found = tx.office.desk.care.help.photo(photo)
    except UnknownError as cause:
        raise LinkError(expired=False) from cause
    if found.ticket != case.ticket.id:
        raise LinkError(expired=False)
    headers = {**PAGE_HEADERS, "Cache-Control": "private, max-age=86400"}
    return Response(found.content, media_type=found.media, headers=headers)


@router.post("/{token}/survey", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def survey(
    door: InDoor,
    tx: InTx,
    score: Annotated[int, Form(ge=1, le=5)],
    words: Annotated[str, Form(max_length=2000)] = "",
    follow_up: Annotated[str, Form()] = "",
) -> Response:
    """How the repair was, once."""
    try:
        rate(tx.office, case_of(door).ticket.id, score, tx.now, words=words, follow_up=bool(follow_up))
    except DeskError:
        return back(door, "/report", gone="move")
    return back(door, "/report", done="rated")


@router.post("/{token}/not-fixed", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def not_fixed_after_all(door: InDoor, tx: InTx, words: Annotated[str, Form(min_length=1, max_length=2000)]) -> Response:
    """The repair did not help: we come again, without a second call-out fee."""
    try:
        not_fixed(tx.office, case_of(door).ticket.id, words, tx.now)
    except AlreadyOpenError:
        return back(door, "/report", gone="newer")
    except DeskError:
        return back(door, "/report", gone="move")
    return back(door, "/report", done="again")


def _inlined(link: re.Match[str]) -> str:
    content = files("api").joinpath("static", *link[1].split("/")).read_text(encoding="utf-8")
    return f"<style>\n{content}</style>"


def _mood(case: Case) -> str:
    """before, proving, proven, done (nobody could prove it), again, or settled without a repair."""
    ticket, state = case.ticket, TicketState(case.ticket.state)
    if state is TicketState.DONE:
        return "proving"
    if state in (TicketState.VERIFIED, TicketState.CLOSED):
        return "proven" if ticket.verified is not None else "done"
    if state in TICKET_ENDED:
        return "settled"
    return "again" if ticket.episode > 0 else "before"


def _values(tx: Tx, case: Case) -> dict[str, Any]:
    t, desk, mood = case.t, tx.office.desk, _mood(case)
    finished = [each for each in case.visits if each.state == VisitState.DONE]
    ticket = desk.tickets.get(case.ticket.id)
    until = guaranteed_until(tx.office, ticket)
    asked = desk.care.surveys.get(ticket.id)
    fitted = desk.money.orders.fitted([each.id for each in finished])
    days = max(1, round(case.proof_length.total_seconds() / 86_400))
    return {
        "case": case,
        "mood": mood,
        "picture": case.picture("c1"),
        "days": days,
        "proof_days": _proof_days(case),
        "visits": [_visit(case, each) for each in reversed(finished)],
        "fitted": [(part_title(case, each.sku), each.serial, each.replaced) for each in fitted],
        "guarantee": t.year_day(until) if until is not None else "",
        "guaranteed": until is not None and tx.now <= until and mood in ("proving", "proven", "done"),
        "photos": [(each.id, t.stamp(each.at)) for each in desk.care.help.photos(ticket.id)],
        "bills": [priced(case, each) for each in desk.money.bills.of_ticket(ticket.id)],
        "why_paid": rule_words(t, verdict_on(tx.office, ticket, tx.now).rule),
        "rating": asked.score if asked is not None else None,
        "may_rate": asked is not None and asked.answered is None and mood in ("proven", "done"),
        "visit": case.visit,
        "free_again": case.ticket.callout_free,
        "since_again": t.day(_taken_up(tx, case)) if mood == "again" else "",
        "proven_on": t.day(case.ticket.verified) if case.ticket.verified is not None else "",
        "done_on": t.day(case.ticket.done) if case.ticket.done is not None else "",
    }


def _taken_up(tx: Tx, case: Case) -> Any:  # noqa: ANN401  (a moment of the timeline)
    """When the case was taken up again."""
    lines = tx.office.desk.tickets.timeline(case.ticket.id)
    moved = [each.at for each in lines if each.kind == "moved" and each.body.get("new") == TicketState.REOPENED]
    return moved[-1] if moved else case.ticket.opened


def _proof_days(case: Case) -> int:
    done, verified = case.ticket.done, case.ticket.verified
    return max(1, round((verified - done).total_seconds() / 86_400)) if done is not None and verified is not None else 0


def _visit(case: Case, visit: VisitView) -> dict[str, Any]:
    t, faults = case.t, case.kind.faults if case.kind is not None else {}
    cause = faults.get(visit.cause) if visit.cause is not None else None
    expected = case.finding.finding.causes[:1] if case.finding is not None else ()
    span = ""
    if visit.arrived is not None and visit.finished is not None:
        span = f"{t.day(visit.arrived)}{', ' if t.lang == 'en' else ' '}{t.window(visit.arrived, visit.finished)}"
    return {
        "cause": t.pick(cause.title) if cause is not None else "",
        "as_expected": bool(expected) and visit.cause == expected[0].fault,
        "work": _work(t, visit.outcome),
        "repaired": visit.outcome == OutcomeCode.REPAIRED,
        "when": span or (t.day(visit.finished) if visit.finished is not None else t.day(visit.start)),
        "who": visit.technician_name,
        "parts": [part_title(case, sku) for sku in visit.parts],
    }


def _work(t: Words, outcome: str | None) -> Markup:
    return {
        "repaired": t("Repaired and tested"),
        "no_fault_found": t("Looked at: no fault was found"),
        "part_missing": t("A part was missing"),
        "not_repaired": t("Could not be repaired yet"),
    }.get(outcome or "", t("Visited"))


def _told(request: Request, t: Words) -> tuple[bool, str, str] | None:
    """What became of the last choice."""
    told = {
        "rated": (True, t("Thank you for the answer"), t("It stands on the ticket; nobody asks again.")),
        "again": (True, t("We come again"), t("No second call-out fee. You get a time as soon as one is found.")),
    }.get(request.query_params.get("done") or "")
    gone = {
        "newer": (
            False,
            t("A newer case is open"),
            t("The same fault is being looked at already. Nothing was changed."),
        ),
        "move": (False, t("That is no longer possible"), t("Nothing was changed. This is how things stand.")),
    }.get(request.query_params.get("gone") or "")
    return told or gone
