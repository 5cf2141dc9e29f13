"""How often owners' links may be used: a link has its share, and who tries links that open nothing must wait."""

from __future__ import annotations

import hashlib
from uuid import UUID

from fastapi import Request, Response

from api.auth import Throttle, address_of
from api.context import context_of
from api.limits import Limits
from api.pages.door import LinkError, link_page
from api.pages.session import error_page
from telemetry.clock import to_datetime

PER_LINK_S = 100.0
"""Requests a second behind one link for long, twice as many at once."""
UNKNOWN_A_MINUTE = 30
"""Links that open nothing, of one address; the next are refused, links that open something are not."""
_PREFIX = "/o/"


def too_fast(request: Request) -> Response | None:
    """The refusal of a request behind a link that is used too often; None for all others."""
    path = request.url.path
    if not path.startswith(_PREFIX):
        return None
    limits: Limits = request.app.state.link_limits
    token = path.removeprefix(_PREFIX).partition("/")[0]
    # By a digest: the link itself is a secret, and is kept nowhere.
    who = UUID(bytes=hashlib.sha256(token.encode()).digest()[:16])
    wait = limits.take(who, to_datetime(context_of(request).wall()))
    return _wait(request, wait) if wait else None


def opens_nothing(request: Request, error: LinkError) -> Response:
    """The page of a link that opens nothing; for who tries many of them, that they must wait."""
    throttle: Throttle = request.app.state.link_throttle
    who, now = address_of(request), to_datetime(context_of(request).wall())
    if throttle.closed(who, now):
        return _wait(request, throttle.wait(who, now))
    if not error.expired:
        throttle.failed(who, now)
    return link_page(request, error)


def _wait(request: Request, seconds: int) -> Response:
    refused = error_page(request, 429)
    refused.headers["Retry-After"] = str(seconds)
    return refused
