"""Staff come in and go: login, logout, each role's home; and the pages of errors."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import SESSION_COOKIE, InStaff, LoginNeededError, Throttle, check_csrf, same_origin
from api.context import InContext, InTx
from api.pages.render import render
from api.pages.shell import home_of, local_path, staff_words
from storage.access import SESSION_HOURS, check_password, close_session, open_session

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(person: InStaff) -> Response:
    """Everybody starts where their day begins."""
    return RedirectResponse(home_of(person), 303)


@router.get("/login")
def login_page(request: Request, to: str = "/") -> Response:
    """Ask for login and password."""
    return render(request, "login.html", staff_words(request, None), to=local_path(to, "/"), wrong="", login="")


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
    throttle: Throttle = request.app.state.throttle
    t = staff_words(request, None)
    if throttle.closed(login, tx.wall):
        wrong = t("Too many tries. Wait a minute, then try again.")
        return render(request, "login.html", t, 429, to=local_path(to, "/"), wrong=wrong, login=login)
    person = check_password(tx.conn, login, password)
    if person is None:
        throttle.failed(login, tx.wall)
        wrong = t("This login and password do not belong together.")
        return render(request, "login.html", t, 403, to=local_path(to, "/"), wrong=wrong, login=login)
    secret = open_session(tx.conn, person.id, now=tx.wall)
    wanted = local_path(to, "/")
    response = RedirectResponse(home_of(person) if wanted == "/" else wanted, 303)
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=SESSION_HOURS * 3600,
        httponly=True,
        samesite="lax",
        secure=context.settings.secure_cookies,
    )
    return response


@router.post("/logout")
def logout(request: Request, tx: InTx, _: InStaff, csrf: Annotated[str, Form()] = "") -> Response:
    """End the session."""
    check_csrf(request, csrf)
    close_session(tx.conn, request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE)
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
        404: (t("There is no such page"), t("Perhaps a part of the address is missing.")),
    }.get(status, (t("That did not work"), t("Nothing was saved. Try again in a moment.")))
    return render(request, "error.html", t, status, heading=heading, lead=lead)
