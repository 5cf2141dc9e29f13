"""Who asks and what they may do: bearer tokens for `/v1`, sessions for staff pages."""

from __future__ import annotations

import hashlib
import hmac
import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request, Response

from api.context import Context, InTx, Tx, context_of
from api.limits import Limits
from api.problems import problem
from api.said import said
from servicedesk.office import DISPATCH, OWNER
from storage.access import (
    SESSION_HOURS,
    Role,
    StaffRow,
    TokenRow,
    close_session,
    find_session,
    find_token,
    open_session,
)
from storage.read_models import Scope

SESSION_COOKIE = "wk_session"
_HOST_COOKIE = f"__Host-{SESSION_COOKIE}"
_TRIES = 5
_MOST_COUNTED = 10_000
_TRIES_WITHIN = timedelta(minutes=1)


class Right(StrEnum):
    """What a route asks for."""

    READ = "read"
    READ_CASE = "read_case"
    READ_PEOPLE = "read_people"
    PLAN = "plan"
    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    MOVE_TICKET = "move_ticket"
    MOVE_VISIT = "move_visit"
    REPORT_OUTCOME = "report_outcome"
    AUDIT = "audit"
    ADD_PHOTO = "add_photo"
    SEE_DESK = "see_desk"
    SEE_LAB = "see_lab"
    STEER_LAB = "steer_lab"
    GO_OUT = "go_out"
    CONFIGURE = "configure"
    KEEP_HOOKS = "keep_hooks"


ASKS_FOR = "__wellkept_right__"
"""What a dependency that asks for a right bears, so that a route's right can be read from the route."""
_EVERYONE = frozenset(Role)
RIGHTS: dict[Right, frozenset[Role]] = {
    Right.READ: _EVERYONE,
    Right.READ_CASE: _EVERYONE - {Role.INTEGRATION},
    Right.READ_PEOPLE: _EVERYONE - {Role.INTEGRATION, Role.ENGINEER},
    Right.PLAN: frozenset({Role.ADMIN, Role.DISPATCHER, Role.READ_ONLY, Role.PEOPLE}),
    Right.ACKNOWLEDGE: frozenset({Role.ADMIN, Role.DISPATCHER, Role.INTEGRATION}),
    Right.CONFIRM: frozenset({Role.ADMIN, Role.DISPATCHER, Role.OWNER, Role.PEOPLE}),
    Right.MOVE_TICKET: frozenset({Role.ADMIN, Role.DISPATCHER}),
    Right.MOVE_VISIT: frozenset({Role.ADMIN, Role.DISPATCHER, Role.TECHNICIAN, Role.PEOPLE}),
    Right.REPORT_OUTCOME: frozenset({Role.ADMIN, Role.TECHNICIAN, Role.PEOPLE}),
    Right.AUDIT: frozenset({Role.ADMIN}),
    Right.ADD_PHOTO: _EVERYONE - {Role.ENGINEER, Role.READ_ONLY, Role.INTEGRATION},
    Right.SEE_DESK: frozenset({Role.ADMIN, Role.DISPATCHER, Role.READ_ONLY}),
    Right.SEE_LAB: frozenset({Role.ADMIN, Role.ENGINEER, Role.READ_ONLY}),
    Right.STEER_LAB: frozenset({Role.ADMIN, Role.ENGINEER}),
    Right.GO_OUT: frozenset({Role.TECHNICIAN}),
    Right.CONFIGURE: frozenset({Role.ADMIN}),
    Right.KEEP_HOOKS: frozenset({Role.ADMIN, Role.INTEGRATION}),
}
"""Which roles hold which right. An owner's scope is one household or one ticket."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a token's id, its role and what it may see."""

    id: UUID
    role: Role
    scope: Scope
    technician: str | None = None

    def actor(self, visit_technician: str | None = None) -> str:
        """As the timeline names them: owner, dispatch, or the technician of the visit."""
        if self.role is Role.OWNER:
            return OWNER
        if self.role in (Role.TECHNICIAN, Role.PEOPLE) and visit_technician is not None:
            return f"technician:{visit_technician}"
        return DISPATCH


def principal_of(token: TokenRow) -> Principal:
    """Whom a valid token stands for."""
    scope = Scope(
        org=token.org,
        household=token.household,
        ticket=token.ticket,
        areas=None if token.areas is None else tuple(token.areas),
        # A technician's token that names nobody sees nothing.
        technician=token.technician or "" if token.role == Role.TECHNICIAN else None,
    )
    return Principal(token.id, Role(token.role), scope, token.technician)


def bearer_secret(request: Request) -> str:
    """The secret that a request carries, empty when it carries none."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def bearer(request: Request, tx: InTx) -> Principal:
    """The principal of the request's bearer token.

    Raises:
        ProblemError: 401, none or not a valid one; 429, more requests than its share.
    """
    secret = bearer_secret(request)
    token = find_token(tx.conn, secret) if secret else None
    if token is None or not token.valid_at(wall=tx.wall, fleet=tx.now):
        raise problem(
            "unauthorised",
            said("send 'Authorization: Bearer …'; make a token with 'wellkept token new'"),
            headers={"WWW-Authenticate": "Bearer"},
        )
    limits: Limits = request.app.state.limits
    wait = limits.take(token.id, tx.wall)
    if wait:
        detail = said("this token makes more requests than its share; go on in {seconds} s", seconds=wait)
        raise problem("too-many-requests", detail, headers={"Retry-After": str(wait)})
    return principal_of(token)


def whole_desk(who: Principal) -> None:
    """Pass who sees everything.

    Raises:
        ProblemError: 403, the token is limited.
    """
    if not who.scope.whole_desk:
        raise problem("forbidden", said("this is the whole desk's; this token is of a part of it"))


def whole_org(who: Principal) -> None:
    """Pass who sees all of an organisation.

    Raises:
        ProblemError: 403, the token is limited to some areas.
    """
    if not who.scope.whole_org:
        raise problem("forbidden", said("this is the whole organisation's; this token is of a part of it"))


def needs(right: Right) -> Callable[[Principal], Principal]:
    """A dependency that lets through who holds a right."""

    def check(principal: Annotated[Principal, Depends(bearer)]) -> Principal:
        if principal.role not in RIGHTS[right]:
            raise problem(
                "forbidden", said("role {role} does not hold the right {right}", role=principal.role, right=right)
            )
        return principal

    setattr(check, ASKS_FOR, right)
    return check


Reader = Annotated[Principal, Depends(needs(Right.READ))]
CaseReader = Annotated[Principal, Depends(needs(Right.READ_CASE))]
PeopleReader = Annotated[Principal, Depends(needs(Right.READ_PEOPLE))]
PlanReader = Annotated[Principal, Depends(needs(Right.PLAN))]
Acknowledger = Annotated[Principal, Depends(needs(Right.ACKNOWLEDGE))]
Confirmer = Annotated[Principal, Depends(needs(Right.CONFIRM))]
TicketMover = Annotated[Principal, Depends(needs(Right.MOVE_TICKET))]
VisitMover = Annotated[Principal, Depends(needs(Right.MOVE_VISIT))]
Reporter = Annotated[Principal, Depends(needs(Right.REPORT_OUTCOME))]
HookKeeper = Annotated[Principal, Depends(needs(Right.KEEP_HOOKS))]
Auditor = Annotated[Principal, Depends(needs(Right.AUDIT))]
PhotoAdder = Annotated[Principal, Depends(needs(Right.ADD_PHOTO))]


class LoginNeededError(Exception):
    """A staff page without a session; answered by the login page.

    Attributes:
        path: where the person wanted to go.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def session_cookie(request: Request) -> str:
    """The name of the session's cookie: over https one that no other host and no plain http can have set."""
    return _HOST_COOKIE if context_of(request).settings.secure_cookies else SESSION_COOKIE


def session_secret(request: Request) -> str:
    """The secret of the session that a request carries, empty when it carries none."""
    return request.cookies.get(session_cookie(request), "")


def open_staff_session(request: Request, response: Response, tx: Tx, context: Context, person: StaffRow) -> None:
    """Give somebody who has signed in a new session; the one that the browser had before ends."""
    before = session_secret(request)
    if before:
        close_session(tx.conn, before)
    response.set_cookie(
        session_cookie(request),
        open_session(tx.conn, person.id, now=tx.wall),
        max_age=SESSION_HOURS * 3600,
        path="/",
        httponly=True,
        samesite="lax",
        secure=context.settings.secure_cookies,
    )


def staff(request: Request, tx: InTx) -> StaffRow:
    """The person of the session cookie.

    Raises:
        LoginNeededError: there is none.
    """
    secret = session_secret(request)
    person = find_session(tx.conn, secret, now=tx.wall) if secret else None
    if person is None:
        raise LoginNeededError(request.url.path)
    return person


InStaff = Annotated[StaffRow, Depends(staff)]


def staff_may(person: StaffRow, right: Right) -> bool:
    """Whether a person's role holds a right."""
    return Role(person.role) in RIGHTS[right]


def staff_needs(right: Right) -> Callable[[StaffRow], StaffRow]:
    """A dependency of pages that lets through who holds a right."""

    def check(person: InStaff) -> StaffRow:
        if not staff_may(person, right):
            raise problem(
                "forbidden", said("role {role} does not hold the right {right}", role=person.role, right=right)
            )
        return person

    setattr(check, ASKS_FOR, right)
    return check


def staff_scope(person: StaffRow) -> Scope:
    """What a person sees: their organisation, areas or visits where they are limited to them, else everything."""
    return Scope(
        org=person.org,
        areas=None if person.areas is None else tuple(person.areas),
        technician=str(person.technician or "") if person.role == Role.TECHNICIAN else None,
    )


DeskPerson = Annotated[StaffRow, Depends(staff_needs(Right.SEE_DESK))]
TicketPerson = Annotated[StaffRow, Depends(staff_needs(Right.MOVE_TICKET))]
LabPerson = Annotated[StaffRow, Depends(staff_needs(Right.SEE_LAB))]
LabHand = Annotated[StaffRow, Depends(staff_needs(Right.STEER_LAB))]
OnTheRoad = Annotated[StaffRow, Depends(staff_needs(Right.GO_OUT))]
HookPerson = Annotated[StaffRow, Depends(staff_needs(Right.KEEP_HOOKS))]
Configurer = Annotated[StaffRow, Depends(staff_needs(Right.CONFIGURE))]
AuditPerson = Annotated[StaffRow, Depends(staff_needs(Right.AUDIT))]


def address_of(request: Request) -> str:
    """Whose address a request comes from: behind a trusted proxy the one that the proxy saw."""
    host = request.client.host if request.client is not None else "unknown"
    trusted = {each.strip() for each in context_of(request).settings.trusted_proxies.split(",")}
    told = request.headers.get("x-forwarded-for", "")
    return told.rpartition(",")[2].strip() or host if host in trusted else host


def csrf_token(request: Request) -> str:
    """Bound to the session by a keyed hash, so that no other page can know it."""
    secret = session_secret(request)
    return hmac.new(secret.encode(), b"wellkept staff form", hashlib.sha256).hexdigest()


def check_csrf(request: Request, given: str) -> None:
    """Pass when a staff form came from our own page.

    Raises:
        ProblemError: 403.
    """
    if not hmac.compare_digest(csrf_token(request), given):
        raise problem("foreign-form", said("this form is out of date: open the page again and repeat your choice"))


def same_origin(request: Request) -> None:
    """Pass when a browser says that the form is our own, or does not say.

    Raises:
        ProblemError: 403, the form stood on another site.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site in ("cross-site", "same-site")
    if origin is not None and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        foreign = True
    if foreign:
        raise problem("foreign-form", said("this form stood on another site: open the link itself"))


class Throttle:
    """At most so many failed tries a minute of one login, address or whatever is counted; older ones are forgotten.

    Args:
        tries: so many fail before further ones must wait.
    """

    def __init__(self, tries: int = _TRIES) -> None:
        self._lock = threading.Lock()
        self._tries = tries
        self._failed: dict[str, deque[datetime]] = {}

    def closed(self, login: str, now: datetime) -> bool:
        """Whether further tries must wait."""
        with self._lock:
            tries = self._failed.get(login)
            while tries and tries[0] <= now - _TRIES_WITHIN:
                tries.popleft()
            if tries is not None and not tries:
                del self._failed[login]
            return tries is not None and len(tries) >= self._tries

    def wait(self, login: str, now: datetime) -> int:
        """Whole seconds until the next try, at least one."""
        with self._lock:
            tries = self._failed.get(login)
            return max(1, math.ceil((tries[0] + _TRIES_WITHIN - now).total_seconds())) if tries else 1

    def failed(self, login: str, now: datetime) -> None:
        """Take note of a failed try."""
        with self._lock:
            if len(self._failed) >= _MOST_COUNTED:
                self._failed = {who: tries for who, tries in self._failed.items() if tries[-1] > now - _TRIES_WITHIN}
            self._failed.setdefault(login, deque(maxlen=self._tries)).append(now)
