"""What a phone sends: once, however often it is repeated, and at the time when it was done.

A phone that was offline sends what it kept, with the key under which it kept it and how long ago that was. The answer
is kept with the effect, as for `/v1`. A form without script is answered by a page, a script by JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from api.auth import check_csrf, staff_scope
from api.context import Tx
from api.i18n import Words
from api.pages.day_words import NeedsCauseError, refusal
from api.problems import not_found, of_desk
from servicedesk.errors import DeskError
from storage.access import StaffRow
from storage.idempotency import KEPT_FOR, Answer, Claim, claim, keep
from storage.read_day import DayVisit, day_visit
from storage.read_desk import timeline
from telemetry.clock import MICROS, to_datetime, to_micros

_MOST_S = KEPT_FOR.total_seconds()


@dataclass(frozen=True, slots=True)
class Sent:
    """What every form of the phone carries.

    Attributes:
        key: the phone's own word for what was done.
        ago: seconds since it was done.
    """

    key: str
    ago: float


def sent(
    request: Request,
    csrf: Annotated[str, Form()] = "",
    key: Annotated[str, Form(max_length=100)] = "",
    ago: Annotated[float, Form(ge=0, le=_MOST_S)] = 0,
) -> Sent:
    """The fields of a form that our own page has made; nothing else of it is looked at before.

    Raises:
        ProblemError: 403.
    """
    check_csrf(request, csrf)
    return Sent(key, ago)


def own_visit(tx: Tx, person: StaffRow, visit: UUID) -> DayVisit:
    """A visit of the person's; another's looks like one that is not there.

    Raises:
        ProblemError: 404.
    """
    row = day_visit(tx.conn, staff_scope(person), str(person.technician), visit)
    if row is None:
        raise not_found("visit")
    return row


def actor_of(person: StaffRow) -> str:
    """As the timeline names them."""
    return f"technician:{person.technician}"


def once(  # noqa: PLR0917  (all of them are the request)
    request: Request,
    tx: Tx,
    person: StaffRow,
    words: Words,
    form: Sent,
    rows: list[DayVisit],
    act: Callable[[datetime], str],
    *,
    fields: Mapping[str, Any],
    back: str,
    again: str = "",
) -> Response:
    """Do what was sent, unless it was done before, and answer.

    Args:
        request: its path tells what is done.
        tx: the effect and its kept answer are in it.
        person: who did it.
        words: of the answer.
        form: key and time.
        rows: the visits that it is about.
        act: the effect at a time; returns the word of what was done.
        fields: what else was sent, so that one key stands for one thing.
        back: the page that follows.
        again: below it, the page of the form, for whoever was refused.
    """
    try:
        with tx.conn.transaction():
            wanted = _claim(request, person, form, fields)
            kept = claim(tx.conn, wanted, tx.wall) if wanted is not None else None
            if kept is not None:
                return _answered(request, json.loads(kept.body)["done"], back)
            done = act(_happened(tx, rows, form.ago))
            if wanted is not None:
                keep(tx.conn, wanted, Answer(200, {}, json.dumps({"done": done}).encode()))
    except DeskError as error:
        return _refused(request, words, error, back + again)
    return _answered(request, done, back)


def wants_json(request: Request) -> bool:
    """Whether our script asks, not a form."""
    return "application/json" in request.headers.get("accept", "")


def _claim(request: Request, person: StaffRow, form: Sent, fields: Mapping[str, Any]) -> Claim | None:
    if not form.key:
        return None
    whole = json.dumps([request.url.path, fields], sort_keys=True, default=str).encode()
    return Claim(person.id, "POST /day", form.key, hashlib.sha256(whole).digest())


def _happened(tx: Tx, rows: list[DayVisit], ago: float) -> datetime:
    """When it was done, by the fleet's clock: not before what is known to have come before, and not after now."""
    at = to_datetime(tx.clock.fleet_at(to_micros(tx.wall) - round(ago * MICROS)))
    last = [event.at for row in rows for event in timeline(tx.conn, row.ticket)[-1:]]
    return min(tx.now, max([at, *last]))


def _answered(request: Request, done: str, back: str) -> Response:
    if wants_json(request):
        return JSONResponse({"done": done}, headers={"Cache-Control": "no-store"})
    return RedirectResponse(f"{back}?{urlencode({'done': done})}", 303)


def _refused(request: Request, words: Words, error: DeskError, back: str) -> Response:
    problem = of_desk(error)
    kind = "needs-cause" if isinstance(error, NeedsCauseError) else problem.kind
    if wants_json(request):
        title, detail = refusal(words, kind, problem.extra)
        body = {"kind": kind, "title": title, "detail": detail}
        return JSONResponse(body, problem.status, headers={"Cache-Control": "no-store"})
    told = {"gone": kind} | {name: str(problem.extra[name]) for name in ("state", "most") if name in problem.extra}
    return RedirectResponse(f"{back}?{urlencode(told)}", 303)
