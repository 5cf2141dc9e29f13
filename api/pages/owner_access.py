"""How to get in: four questions, asked after the time was chosen; answers may change until the visit is over."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request, Response

from api.auth import same_origin
from api.context import InTx
from api.pages.door import InDoor, back, case_of, links
from api.pages.owner_told import called, told_of
from api.pages.render import render
from servicedesk.access import Answers, answers_of, tell_access
from servicedesk.errors import DeskError
from servicedesk.office import OWNER
from servicedesk.states import VISIT_LIVE

router = APIRouter(prefix="/o", include_in_schema=False)
Text = Annotated[str, Form(max_length=500)]


@router.get("/{token}/access")  # noqa: FAST003  (taken by the door)
def access_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """The questions with what was answered before."""
    case, t = case_of(door), door.words
    if case.visit is None or case.visit.state not in VISIT_LIVE:
        return back(door, "/visit")
    answers = answers_of(tx.office, tx.office.desk.visits.get(case.visit.id))
    values: dict[str, Any] = {
        "case": case,
        "visit": case.visit,
        "answers": answers,
        "name": called(t, case.visit.technician_name),
    }
    return render(request, "owner_access.html", t, told=told_of(request, t), **values, **links(door))


@router.post("/{token}/access", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def tell(  # noqa: PLR0917  (named by the form)
    door: InDoor,
    tx: InTx,
    entry: Text = "",
    parking: Text = "",
    pets: Text = "",
    adult: Annotated[Literal["", "yes", "no"], Form()] = "",
) -> Response:
    """The owner's answers."""
    case = case_of(door)
    answers = Answers(entry, parking, pets, {"yes": True, "no": False}.get(adult))
    if case.visit is None:
        return back(door, "/visit", gone="move")
    try:
        tell_access(tx.office, case.visit.id, answers, tx.now, OWNER)
    except DeskError:
        return back(door, "/visit", gone="move")
    return back(door, "/visit", done="answered")
