"""What every staff page stands in: its words, who looks, the remembered language, and where each role is at home."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from api.auth import Right, csrf_token, staff_may
from api.context import InContext
from api.i18n import LANGUAGES, Words, accepted, zone_of
from api.pages.render import render
from servicedesk.office import DISPATCH
from storage.access import Role, StaffRow

_LANG_COOKIE = "wk_lang"
_YEAR_S = 31_536_000
_HOMES = {Role.TECHNICIAN: "/day", Role.ENGINEER: "/lab"}


def staff_words(request: Request, person: StaffRow | None, zone: str = "UTC") -> Words:
    """Asked for, else remembered, else the person's, else the browser's language."""
    asked = request.query_params.get("lang")
    kept = request.cookies.get(_LANG_COOKIE)
    lang = next((each for each in (asked, kept) if each in LANGUAGES), None)
    lang = lang or (person.lang if person else None) or accepted(request.headers.get("accept-language")) or "en"
    return Words(lang, zone_of(zone))


def staff_page(  # noqa: PLR0917  (all of them are the page)
    request: Request,
    context: InContext,
    person: StaffRow,
    template: str,
    words: Words,
    status: int = 200,
    **values: Any,  # noqa: ANN401  (templates take anything)
) -> Response:
    """A page with the bar: the person, the token of its forms, and the language it was asked for."""
    more = {
        "person": person,
        "csrf": csrf_token(request),
        "mailbox": context.settings.mailbox,
        "may_move": staff_may(person, Right.MOVE_TICKET),
    }
    return remember(request, render(request, template, words, status, **(more | values)))


def remember(request: Request, response: Response) -> Response:
    """Keep the language that was asked for."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(_LANG_COOKIE, str(asked), max_age=_YEAR_S, samesite="lax", httponly=True)
    return response


def home_of(person: StaffRow) -> str:
    """Where a role's day begins."""
    return _HOMES.get(Role(person.role), "/dispatch")


def local_path(to: str, otherwise: str) -> str:
    """Only our own paths, so that a login never leads away."""
    return to if to.startswith("/") and not to.startswith("//") and "\\" not in to else otherwise


def actor_of(person: StaffRow) -> str:
    """As timelines name a person of the desk: two people are two, and both are dispatch."""
    return f"{DISPATCH}:{person.login}"
