"""Errors on the wire: problem details (RFC 9457) for `/v1`, a page that says one way on for people.

`PROBLEMS` is the whole list: a kind, its status and title never change once they are released, and `docs/api.md` is
tested against it.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.i18n import HTML_LANG, accepted
from api.said import Sentence, in_language, said, several, told
from api.wrong import what_is_wrong
from servicedesk.billing import ChargeError
from servicedesk.covering import SameReviewerError
from servicedesk.errors import (
    DeskError,
    IllegalMoveError,
    NeedsReasonError,
    UnknownError,
    WindowGoneError,
    WordedError,
)
from servicedesk.moves import ReasonError, RuleError
from servicedesk.photos import PhotoError
from servicedesk.selfcheck import AnswerError, NotRecoveredError
from servicedesk.survey import SurveyAnsweredError
from servicedesk.warranty import DenialError
from storage.failures import BUSY, OUTAGES, UNFIT
from storage.idempotency import InProgressError, KeyReusedError

MEDIA_TYPE = "application/problem+json"
TYPE = "https://wellkept.invalid/problems/"
"""What a problem's `type` begins with: a name, not an address."""
_log = structlog.get_logger(__name__)
_FRAMES = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, its title, and when it comes."""

    status: int
    title: Sentence
    when: Sentence


PROBLEMS: Mapping[str, Kind] = {
    "bad-request": Kind(400, said("Bad request"), said("the request cannot be read")),
    "bad-cursor": Kind(400, said("Bad cursor"), said("`cursor` was not given by this list with these filters")),
    "unauthorised": Kind(
        401, said("A valid token is needed"), said("no bearer token, or one that is unknown, ended or revoked")
    ),
    "forbidden": Kind(403, said("This token may not do that"), said("the token's role does not hold the right")),
    "foreign-form": Kind(
        403, said("This form is not our own"), said("pages only: a form that stood elsewhere or is out of date")
    ),
    "not-found": Kind(404, said("Not found"), said("no such address or object, or one outside the token's scope")),
    "method-not-allowed": Kind(405, said("Method not allowed"), said("`Allow` names the methods")),
    "conflict": Kind(409, said("Conflict"), said("someone else was faster; read again")),
    "illegal-move": Kind(
        409, said("Illegal move"), said("the state table forbids it; `state` and `legal` say what is possible")
    ),
    "rule-forbids": Kind(
        409, said("A rule forbids it"), said("nobody goes past it; `breaches` names every rule that is broken")
    ),
    "window-gone": Kind(409, said("The window is gone"), said("another visit took it; ask for windows again")),
    "same-reviewer": Kind(409, said("Somebody else judges it"), said("whoever denied does not answer the appeal")),
    "not-recovered": Kind(
        409, said("The readings have not recovered"), said("no withdrawal before the signal is back in its range")
    ),
    "no-fleet": Kind(409, said("No simulated fleet runs"), said("nothing can be steered; start one, see `detail`")),
    "clock-not-paced": Kind(
        409, said("Nobody paces the clock"), said("fleet time is wall time, or a clock of its own")
    ),
    "survey-answered": Kind(409, said("It was answered before"), said("a survey is answered once")),
    "in-progress": Kind(
        409, said("The first request is under way"), said("a double of a request that has not ended; repeat it")
    ),
    "precondition-failed": Kind(
        412, said("It has changed"), said("`If-Match` names another state; `etag`, `present` tell today's")
    ),
    "too-large": Kind(413, said("Too large"), said("the body is larger than 1 MB")),
    "unsupported-media-type": Kind(415, said("JSON is needed"), said("a body that is not `application/json`")),
    "invalid": Kind(422, said("Invalid request"), said("`errors` names each field and what is wrong with it")),
    "fleet-refused": Kind(
        422, said("The fleet refuses it"), said("a name or value that it does not take; `nearest` is perhaps meant")
    ),
    "needs-reason": Kind(422, said("A reason is needed"), said("this move is made with a `reason` only")),
    "above-agreed": Kind(
        422, said("More than was agreed"), said("`asked` lies above `most`, which was approved or told before")
    ),
    "denial-unfounded": Kind(
        422, said("A denial without grounds"), said("no such `rule`, or the evidence in `missing` was not recorded")
    ),
    "not-asked": Kind(
        422, said("That is not asked"), said("the guide has no such step or answer now; `legal` names those it has")
    ),
    "no-photo": Kind(
        422, said("Not a photo that we take"), said("a JPEG, PNG or WebP by its content, of at most 700,000 bytes")
    ),
    "key-reused": Kind(
        422, said("The key belongs to another request"), said("an `Idempotency-Key` with another body or address")
    ),
    "precondition-required": Kind(
        428, said("If-Match is needed"), said("a change that is made only to a state you have seen")
    ),
    "too-many-requests": Kind(
        429, said("Too many requests"), said("more than your share, or too many streams; see `Retry-After`")
    ),
    "internal": Kind(500, said("Internal error"), said("our fault; `incident` is the word to find it in the log")),
    "unavailable": Kind(503, said("Not available now"), said("the database does not answer; repeat with the same key")),
    "not-ready": Kind(503, said("Not ready"), said("`/readyz` only: a part that is needed does not answer")),
}
"""Every kind of problem by the last word of its `type`."""

_BY_STATUS = {
    400: "bad-request",
    401: "unauthorised",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}


class ProblemError(Exception):
    """An error with everything its answer needs; `problem` makes one from the list.

    Attributes:
        status: HTTP status.
        kind: stable word, the end of the problem's `type`; one of `PROBLEMS`.
        title: what it is, in general.
        detail: what it is this time, and one way on.
        extra: further members.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str = "",
        *,
        headers: dict[str, str] | None = None,
        **extra: Any,  # noqa: ANN401  (JSON values)
    ) -> None:
        super().__init__(detail or title)
        if PROBLEMS[kind].status != status:
            raise ValueError(f"{kind} is a {PROBLEMS[kind].status}, not a {status}")
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.headers = headers
        self.extra = extra


def problem(
    kind: str,
    detail: str = "",
    *,
    headers: dict[str, str] | None = None,
    **extra: Any,  # noqa: ANN401  (JSON values)
) -> ProblemError:
    """A problem of the list."""
    known = PROBLEMS[kind]
    return ProblemError(known.status, kind, known.title, detail, headers=headers, **extra)


_THERE_IS_NO: Mapping[str, Sentence] = {
    "decision": said("there is no such decision"),
    "device": said("there is no such device"),
    "finding": said("there is no such finding"),
    "household": said("there is no such household"),
    "line": said("there is no such line"),
    "link": said("there is no such link"),
    "notice": said("there is no such notice"),
    "object": said("there is no such object"),
    "organisation": said("there is no such organisation"),
    "page": said("there is no such page"),
    "photo": said("there is no such photo"),
    "plan": said("there is no such plan"),
    "quote": said("there is no such quote"),
    "repair in another way": said("there is no such repair in another way"),
    "serial number": said("there is no such serial number"),
    "silence": said("there is no such silence"),
    "technician": said("there is no such technician"),
    "ticket": said("there is no such ticket"),
    "visit": said("there is no such visit"),
    "estimate: the fault is not known yet": said("there is no such estimate: the fault is not known yet"),
}


def not_found(what: str) -> ProblemError:
    """There is none, or it is not the asker's: both look the same."""
    return problem("not-found", _THERE_IS_NO.get(what) or f"there is no such {what}")


def invalid(detail: str, pointer: str | None = None, **extra: Any) -> ProblemError:  # noqa: ANN401  (JSON values)
    """A request that does not fit, found by our own rules; `pointer` is the field in the body, as `#/name`."""
    errors = [] if pointer is None else [{"where": pointer.replace("#/", "body."), "what": detail, "pointer": pointer}]
    return problem("invalid", detail, errors=errors, **extra)


def problem_response(error: ProblemError, request: Request) -> JSONResponse:
    """The answer of a problem, in the language that the asker prefers of ours."""
    lang = accepted(request.headers.get("accept-language")) or "en"
    known = PROBLEMS[error.kind]
    detail = error.detail or known.title
    if lang != "en" and not isinstance(detail, Sentence):
        detail = known.when
    body = {
        "type": TYPE + error.kind,
        "title": known.title.in_(lang),
        "status": error.status,
        "detail": in_language(detail, lang),
        "instance": request.url.path,
        **_translated(error.extra, lang),
    }
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": HTML_LANG[lang],
        "Vary": "Accept-Language",
        **(error.headers or {}),
    }
    return JSONResponse(body, error.status, headers, media_type=MEDIA_TYPE)


def _translated(extra: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Further members; of them only the sentences about fields are for people."""
    found = dict(extra)
    if lang != "en" and "errors" in found:
        found["errors"] = [{**each, "what": in_language(each["what"], lang)} for each in found["errors"]]
    return found


_OF_DESK: Mapping[type[DeskError], str] = {
    IllegalMoveError: "illegal-move",
    NeedsReasonError: "needs-reason",
    RuleError: "rule-forbids",
    WindowGoneError: "window-gone",
    ChargeError: "above-agreed",
    DenialError: "denial-unfounded",
    SameReviewerError: "same-reviewer",
    NotRecoveredError: "not-recovered",
    SurveyAnsweredError: "survey-answered",
    AnswerError: "not-asked",
    PhotoError: "no-photo",
}


def of_desk(error: DeskError) -> ProblemError:
    """The desk's words as a problem, with the data that explains it."""
    if isinstance(error, UnknownError):
        return not_found("object")
    kind = next((word for each, word in _OF_DESK.items() if isinstance(error, each)), "conflict")
    return problem(kind, sentence_of(error), **_members(error))


def sentence_of(error: DeskError) -> str:
    """What the desk says, as a sentence of ours where there is one."""
    return said(error.message, **error.values) if isinstance(error, WordedError) else _with_values(error)


def _with_values(error: DeskError) -> str:
    """A sentence of ours for an error with values."""
    match error:
        case IllegalMoveError():
            if not error.legal:
                return told(str(error), said("from {old} nothing follows", old=error.old))
            legal = ", ".join(error.legal)
            way = said("{old} cannot become {new}; possible: {legal}", old=error.old, new=error.new, legal=legal)
            return told(str(error), way)
        case ChargeError():
            most = said("{asked} is more than the {most} that was agreed", asked=error.asked, most=error.most)
            return told(str(error), most)
        case DenialError() if error.missing:
            missing = ", ".join(error.missing)
            return told(
                str(error), said("evidence is missing for the rule {rule}: {missing}", rule=error.rule, missing=missing)
            )
        case AnswerError() if error.legal:
            return told(str(error), said("that is not asked now; possible: {legal}", legal=", ".join(error.legal)))
        case _:
            return str(error)


def _members(error: DeskError) -> dict[str, Any]:
    match error:
        case IllegalMoveError():
            return {"what": error.what, "state": error.old, "legal": list(error.legal)}
        case AnswerError():
            return {"legal": list(error.legal)}
        case RuleError() | ReasonError():
            return {"breaches": [{"rule": str(each.rule), "hard": each.hard} for each in error.breaches]}
        case ChargeError():
            return {"asked": str(error.asked), "most": str(error.most)}
        case DenialError():
            return {"rule": error.rule, "missing": list(error.missing)}
        case _:
            return {}


def wants_page(request: Request) -> bool:
    """Whether people look at this address."""
    path = request.url.path
    return (
        not path.startswith(("/v1/", "/static/", "/healthz", "/readyz", "/metrics", "/openapi.json")) and path != "/v1"
    )


def http_problem(request: Request, error: HTTPException) -> Response:
    """A framework's error (no such route, wrong method) as a problem."""
    headers = dict(error.headers) if error.headers else None
    kind = _BY_STATUS.get(error.status_code, "bad-request")
    return problem_response(problem(kind, str(error.detail), headers=headers), request)


def field_errors(error: RequestValidationError) -> list[dict[str, str]]:
    """What is wrong with each field: `where` it is, `what` is wrong; in the body also its JSON `pointer`.

    What was sent is not repeated: it may be a secret.
    """
    found = []
    for each in error.errors():
        place = [str(part) for part in each["loc"]]
        line = {"where": ".".join(place), "what": what_is_wrong(each)}
        if place[0] == "body" and each["type"] != "json_invalid":
            line["pointer"] = "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in place[1:])
        found.append(line)
    return found


def invalid_fields(error: RequestValidationError) -> ProblemError:
    """A request whose fields do not fit."""
    found = field_errors(error)
    listed = [said("{where}: {what}", where=each["where"], what=each["what"]) for each in found]
    return problem("invalid", several(listed), errors=found)


def install(app: FastAPI) -> None:
    """Translate errors of `/v1` once, here."""

    @app.exception_handler(DeskError)
    def _desk(request: Request, error: DeskError) -> Response:
        return problem_response(of_desk(error), request)

    @app.exception_handler(KeyReusedError)
    def _reused(request: Request, error: KeyReusedError) -> Response:
        return problem_response(problem("key-reused", str(error)), request)

    @app.exception_handler(InProgressError)
    def _under_way(request: Request, error: InProgressError) -> Response:
        return problem_response(problem("in-progress", str(error), headers={"Retry-After": "1"}), request)


def of_database(error: Exception) -> ProblemError | None:
    """A failure of the database as a problem without its words, or None when it is something else."""
    if isinstance(error, BUSY):
        return problem("conflict", said("someone else changes the same thing; repeat it"), headers={"Retry-After": "1"})
    if isinstance(error, UNFIT):
        return problem(
            "invalid", said("a value cannot be stored: text without NUL, numbers and dates in range"), errors=[]
        )
    if isinstance(error, OUTAGES):
        detail = said("the database does not answer; whether a change was made, its Idempotency-Key will tell")
        return problem("unavailable", detail, headers={"Retry-After": "2"})
    return None


def of_accident(request: Request, error: Exception) -> ProblemError:
    """What nobody foresaw, logged under a word that the answer names. The answer says nothing of the inside."""
    known = of_database(error)
    if known is not None:
        return known
    incident = str(uuid4())
    # Plain: a renderer that shows local variables would show secrets.
    trace = "".join(traceback.format_exception(error, limit=-_FRAMES))
    _log.error("a request failed", incident=incident, method=request.method, error=type(error).__name__, trace=trace)
    return problem("internal", said("the error was recorded; tell its incident to the operator"), incident=incident)
