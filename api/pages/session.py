"""Staff come in and go: login, logout, each role's home; and the pages of errors."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import (
    InStaff,
    LoginNeededError,
    Throttle,
    address_of,
    check_csrf,
    open_staff_session,
    same_origin,
    session_cookie,
    session_secret,
)
from api.context import InContext, InTx
from api.pages.render import render
from api.pages.shell import home_of, local_path, staff_words
from storage.access import check_password, close_session

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(person: InStaff) -> Response:
    """Everybody starts where their day begins."""
    return RedirectResponse(home_of(person), 303)


@router.get("/login")
def login_page(request: Request, context: InContext, to: str = "/") -> Response:
    """Ask for login and password."""
    return render(
        request,
        "login.html",
        staff_words(request, None),
        to=local_path(to, "/"),
        wrong="",
        login="",
        oidc=context.settings.oidc,
    )


@router.post("/login", dependencies=[Depends(same_origin)])
def login(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    tx: InTx,
    context: InContext,
    login: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=200)],
    to: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session of one shift."""
    state, t = request.app.state, staff_words(request, None)
    counted: list[tuple[Throttle, str]] = [(state.throttle, login), (state.address_throttle, address_of(request))]
    shown = {"to": local_path(to, "/"), "login": login, "oidc": context.settings.oidc}
    waits = [throttle.wait(who, tx.wall) for throttle, who in counted if throttle.closed(who, tx.wall)]
    if waits:
        wrong = t("Too many tries. Wait a minute, then try again.")
        answer = render(request, "login.html", t, 429, wrong=wrong, **shown)
        answer.headers["Retry-After"] = str(max(waits))
        return answer
    person = check_password(tx.conn, login, password)
    if person is None:
        for throttle, who in counted:
            throttle.failed(who, tx.wall)
        wrong = t("This login and password do not belong together.")
        return render(request, "login.html", t, 403, wrong=wrong, **shown)
    response = RedirectResponse(home_of(person) if shown["to"] == "/" else str(shown["to"]), 303)
    open_staff_session(request, response, tx, context, person)
    return response


@router.post("/logout")
def logout(request: Request, tx: InTx, _: InStaff, csrf: Annotated[str, Form()] = "") -> Response:
    """End the session."""
    check_csrf(request, csrf)
    close_session(tx.conn, session_secret(request))
    response = RedirectResponse("/login", 303)
    secure = request.app.state.context.settings.secure_cookies
    response.delete_cookie(session_cookie(request), secure=secure, httponly=True, samesite="lax")
    return response


def login_redirect(request: Request, error: LoginNeededError) -> Response:
    """Pages without a session lead to the login and back."""
    if request.method != "GET":
        return RedirectResponse("/login", 303)
    return RedirectResponse("/login?" + urlencode({"to": error.path}), 303)


def error_page(request: Request, status: int) -> Response:
    """A page's error in words, with what still holds."""
    t = staff_words(request, None)
    heading, lead = {
        403: (t("That is not allowed"), t("Nothing was changed. Open the page again and repeat your choice.")),
        429: (t("Too many requests at once"), t("Nothing is lost. Wait a moment, then open the page again.")),
        404: (t("There is no such page"), t("Perhaps a part of the address is missing.")),
    }.get(status, (t("That did not work"), t("Nothing was saved. Try again in a moment.")))
    return render(request, "error.html", t, status, heading=heading, lead=lead)
