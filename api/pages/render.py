"""Templates with the words of a language, and the headers every page leaves with."""

from __future__ import annotations

import hashlib
from datetime import UTC
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.i18n import Words
from api.pages.areas import areas_of

_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": _CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@cache
def environment() -> Environment:
    """Jinja2, strict: a name that a page misses is an error, not an empty place."""
    made = Environment(
        loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals["asset"] = asset
    made.globals["areas_of"] = areas_of
    return made


@cache
def asset(name: str) -> str:
    """The address of a static file, with its content's hash, so that browsers may keep it for ever."""
    content = files("api").joinpath("static", *name.split("/")).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def render(request: Request, template: str, words: Words, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401  (templates take anything)
    """A page in a language."""
    text = (
        environment()
        .get_template(template)
        .render(t=words, here=request.url.path, switch=_switch(request, words.other), **values)
    )
    response = HTMLResponse(text, status, headers=PAGE_HEADERS)
    response.headers["Content-Language"] = words.html_lang
    return response


def default_words(lang: str) -> Words:
    """Words outside any household."""
    return Words(lang, UTC)


def _switch(request: Request, other: str) -> str:
    """This page in the other language."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("lang", "done", "gone")]
    return "?" + urlencode([*kept, ("lang", other)])
