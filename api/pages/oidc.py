"""The organisation's own sign-in: there, and back with a session."""

from __future__ import annotations

import hmac
import re
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import open_staff_session
from api.context import Context, InContext, Tx
from api.oidc import COOKIE_AGE_S, Identity, Journey, Provider, SignInError, role_by, seal, unseal
from api.pages.render import render
from api.pages.shell import home_of, local_path, staff_words
from api.problems import not_found
from storage.access import Role, StaffRow, create_staff, find_staff_by_subject, link_subject

router = APIRouter(prefix="/login/oidc", include_in_schema=False)
_log = structlog.get_logger(__name__)
_PLAIN, _HOST = "wk_signin", "__Secure-wk_signin"
_LOGIN = re.compile(r"[^a-z0-9._-]+")
_GIVEN = frozenset({Role.ADMIN, Role.DISPATCHER, Role.ENGINEER, Role.READ_ONLY})
"""Roles that a claim may give; a technician's names the technician, so an admin enters it."""


def _provider(request: Request) -> Provider:
    found: Provider | None = request.app.state.oidc
    if found is None:
        raise not_found("page")
    return found


@router.get("")
def begin(request: Request, context: InContext, to: str = "/") -> Response:
    """To the organisation's sign-in."""
    provider = _provider(request)
    now, key = _now_and_key(context)
    journey = provider.journey(local_path(to, "/"), now)
    try:
        address = provider.address(journey, _back(request, context))
    except SignInError as error:
        return _sorry(request, context, error, 503)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        _cookie(context),
        seal(journey, key),
        max_age=COOKIE_AGE_S,
        path="/login/oidc",
        httponly=True,
        samesite="lax",
        secure=context.settings.secure_cookies,
    )
    return response


@router.get("/callback")
def come_back(
    request: Request,
    context: InContext,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Back from there: a session for who is known, or is given a role by the setting."""
    provider = _provider(request)
    # No transaction waits for the provider.
    now, key = _now_and_key(context)
    try:
        journey = unseal(request.cookies.get(_cookie(context), ""), key, now)
        _check(journey, state, code, error)
        identity = provider.identify(journey, _back(request, context), code, now)
    except SignInError as refusal:
        return _sorry(request, context, refusal, 403)
    with context.begin() as tx:
        person = find_staff_by_subject(tx.conn, identity.subject) or _new(tx, context, identity)
        if person is None:
            return _sorry(request, context, SignInError(f"nobody here is {identity.subject[:200]!r}"), 403, known=True)
        response = RedirectResponse(home_of(person) if journey.to == "/" else journey.to, 303)
        open_staff_session(request, response, tx, context, person)
    _forget(response, context)
    return response


def _check(journey: Journey, state: str, code: str, error: str) -> None:
    if not hmac.compare_digest(journey.state.encode(), state.encode()):
        raise SignInError("the answer belongs to another sign-in")
    if error or not code:
        raise SignInError(f"the provider refused: {error[:100]!r}")


def _now_and_key(context: Context) -> tuple[datetime, bytes]:
    with context.begin() as tx:
        return tx.wall, context.signing(tx.conn)


def _new(tx: Tx, context: Context, identity: Identity) -> StaffRow | None:
    """Enter somebody whom the setting gives a role, under a login of their own."""
    role = role_by(identity.claims, context.settings.oidc_roles)
    if role is None or role not in _GIVEN:
        return None
    wished = str(identity.claims.get("preferred_username") or identity.claims.get("email") or "").partition("@")[0]
    base = _LOGIN.sub("-", wished.lower()).strip("-._")
    login = f"{base if base[:1].isalpha() else 'p' + base}"[:24].rstrip("-._") + f"-{tx.office.new_id().hex[-6:]}"
    create_staff(tx.conn, login, now=tx.wall, name=identity.name[:100], role=Role(role))
    link_subject(tx.conn, login, identity.subject)
    return find_staff_by_subject(tx.conn, identity.subject)


def _sorry(request: Request, context: Context, error: SignInError, status: int, *, known: bool = False) -> Response:
    """The login page with one sentence; why stands in the log."""
    _log.warning("a sign-in elsewhere was refused", why=str(error))
    t = staff_words(request, None)
    wrong = (
        t("Your organisation knows you, but nobody has given you access here. Ask an administrator.")
        if known
        else t("Signing in with your organisation did not work. Try again, or use login and password.")
    )
    response = render(request, "login.html", t, status, to="/", wrong=wrong, login="", oidc=True)
    _forget(response, context)
    return response


def _cookie(context: Context) -> str:
    return _HOST if context.settings.secure_cookies else _PLAIN


def _forget(response: Response, context: Context) -> None:
    response.delete_cookie(
        _cookie(context), path="/login/oidc", secure=context.settings.secure_cookies, httponly=True, samesite="lax"
    )


def _back(request: Request, context: Context) -> str:
    """Where the provider sends the browser back to."""
    base = context.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return f"{base}/login/oidc/callback"
