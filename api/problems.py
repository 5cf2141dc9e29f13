"""Errors on the wire: problem details (RFC 9457) for `/v1`, a page that says one way on for people."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from servicedesk.errors import DeskError, IllegalMoveError, NeedsReasonError, UnknownError, WindowGoneError
from storage.read_models import CursorError

MEDIA_TYPE = "application/problem+json"
_TYPE = "https://wellkept.invalid/problems/"


class ProblemError(Exception):
    """An error with everything its answer needs.

    Attributes:
        status: HTTP status.
        kind: stable word, the end of the problem's `type`.
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
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.headers = headers
        self.extra = extra


def not_found(what: str) -> ProblemError:
    """There is none, or it is not the asker's: both look the same."""
    return ProblemError(404, "not-found", "Not found", f"there is no such {what}")


def problem_response(problem: ProblemError, instance: str) -> JSONResponse:
    """The answer of a problem."""
    body = {
        "type": _TYPE + problem.kind,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail or problem.title,
        "instance": instance,
        **problem.extra,
    }
    return JSONResponse(body, problem.status, problem.headers, media_type=MEDIA_TYPE)


def of_desk(error: DeskError) -> ProblemError:
    """The desk's words as a problem."""
    if isinstance(error, IllegalMoveError):
        return ProblemError(
            409, "illegal-move", "Illegal move", str(error), what=error.what, state=error.old, legal=list(error.legal)
        )
    if isinstance(error, UnknownError):
        return not_found("object")
    if isinstance(error, NeedsReasonError):
        return ProblemError(422, "needs-reason", "A reason is needed", str(error))
    if isinstance(error, WindowGoneError):
        return ProblemError(409, "window-gone", "The window is gone", str(error))
    return ProblemError(409, "conflict", "Conflict", str(error))


def wants_page(request: Request) -> bool:
    """Whether people look at this address."""
    path = request.url.path
    return not path.startswith(("/v1/", "/static/", "/healthz", "/readyz", "/metrics", "/openapi.json"))


def http_problem(request: Request, error: HTTPException) -> Response:
    """A framework's error (no such route, wrong method) as a problem."""
    headers = dict(error.headers) if error.headers else None
    kind = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
    return problem_response(ProblemError(error.status_code, kind, str(error.detail), headers=headers), request.url.path)


def install(app: FastAPI) -> None:
    """Translate errors of `/v1` once, here."""

    @app.exception_handler(DeskError)
    def _desk(request: Request, error: DeskError) -> Response:
        return problem_response(of_desk(error), request.url.path)

    @app.exception_handler(CursorError)
    def _cursor(request: Request, error: CursorError) -> Response:
        return problem_response(ProblemError(400, "bad-cursor", "Bad cursor", str(error)), request.url.path)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        found = [{"where": ".".join(map(str, e["loc"])), "what": e["msg"]} for e in error.errors()]
        detail = "; ".join(f"{e['where']}: {e['what']}" for e in found)
        return problem_response(ProblemError(422, "invalid", "Invalid request", detail, errors=found), request.url.path)
