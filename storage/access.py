"""Who may come in: staff, sessions, bearer tokens and owners' links. Secrets are stored as hashes only."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg.rows import class_row

from storage.pool import Connection
from telemetry.clock import to_micros
from telemetry.ids import Ids

SESSION_HOURS = 12
"""A staff session lasts one shift."""

_SECRET_BYTES = 24
_HASHER = PasswordHasher()
_IDS = Ids(secrets.SystemRandom())
# Verified when the login is unknown, so that both answers take the same time.
_DECOY = _HASHER.hash(secrets.token_urlsafe(12))

_ACCESS_COLUMNS = "id, label, role, org, household, ticket, technician, areas, created, expires, revoked"
_INSERT_ACCESS = """
insert into access_token (id, digest, label, role, org, household, ticket, technician, areas, created, expires)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_FIND_ACCESS = f"select {_ACCESS_COLUMNS} from access_token where digest = %s"  # noqa: S608  (a constant of this module)
_LIST_ACCESS = f"select {_ACCESS_COLUMNS} from access_token where role <> 'owner' order by created, id"  # noqa: S608  (likewise)
_LINKS_OF_CASE = f"select {_ACCESS_COLUMNS} from access_token where role = 'owner' and ticket = %s order by created, id"  # noqa: S608  (likewise)
_END_CASE_LINKS = "update access_token set revoked = %s where role = 'owner' and ticket = %s and revoked is null"
_REVOKE_ACCESS = "update access_token set revoked = %s where id = %s and revoked is null"

_STAFF_COLUMNS = "s.id, s.login, s.name, s.role, s.lang, s.org, s.areas, s.technician"
_UPSERT_STAFF = """
insert into staff_user (id, login, name, role, lang, password, org, areas, technician, created)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (login) do update set password = excluded.password, name = excluded.name, role = excluded.role,
    lang = excluded.lang, org = excluded.org, areas = excluded.areas, technician = excluded.technician, disabled = null
"""
_CREDENTIAL = "select password from staff_user where login = %s and disabled is null"
_STAFF_BY_LOGIN = f"select {_STAFF_COLUMNS} from staff_user s where s.login = %s and s.disabled is null"  # noqa: S608  (likewise)
_STAFF_BY_SESSION = f"""
select {_STAFF_COLUMNS} from staff_session t join staff_user s on s.id = t.staff
where t.digest = %s and t.expires > %s and s.disabled is null
"""  # noqa: S608  (likewise)
_STAFF_BY_SUBJECT = f"select {_STAFF_COLUMNS} from staff_user s where s.subject = %s and s.disabled is null"  # noqa: S608  (likewise)
_LINK_SUBJECT = "update staff_user set subject = %s where login = %s"
_INSERT_SESSION = "insert into staff_session (digest, staff, created, expires) values (%s, %s, %s, %s)"
_DELETE_SESSION = "delete from staff_session where digest = %s"
_PURGE_SESSIONS = "delete from staff_session where expires <= %s"


class Role(StrEnum):
    """What a token or a person may do; the rights themselves stand in `api.auth`."""

    ADMIN = "admin"
    DISPATCHER = "dispatcher"
    TECHNICIAN = "technician"
    OWNER = "owner"
    ENGINEER = "engineer"
    READ_ONLY = "read_only"
    PEOPLE = "people"
    INTEGRATION = "integration"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret. Scopes that are set narrow what its role may see.

    Attributes:
        expires: wall time, but fleet time for role `owner`; None lasts until revoked.
        technician: the technician a `technician` token speaks for, by name or id.
        areas: the only areas of households that it sees; all when None.
    """

    id: UUID
    label: str
    role: str
    org: str | None
    household: UUID | None
    ticket: UUID | None
    technician: str | None
    areas: list[str] | None
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    def valid_at(self, *, wall: datetime, fleet: datetime) -> bool:
        """Whether it opens anything now."""
        now = fleet if self.role == Role.OWNER else wall
        return self.revoked is None and (self.expires is None or self.expires > now)


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A person of the service desk.

    Attributes:
        org: the only organisation that they see; all when None.
        areas: the only areas of households that they see; all when None.
        technician: who they are on the road, for role `technician`.
    """

    id: UUID
    login: str
    name: str
    role: str
    lang: str
    org: str | None = None
    areas: list[str] | None = None
    technician: UUID | None = None


def new_secret() -> str:
    """A secret of 192 bits, as text that fits a link."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """What is stored of a secret. Plain SHA-256: the secret is random, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def create_token(
    conn: Connection,
    role: Role,
    *,
    now: datetime,
    label: str = "",
    org: str | None = None,
    household: UUID | None = None,
    ticket: UUID | None = None,
    technician: str | None = None,
    areas: list[str] | None = None,
    expires: datetime | None = None,
) -> str:
    """Enter a bearer token and return its secret, which is shown once and kept nowhere.

    Raises:
        psycopg.errors.CheckViolation: an owner's token without exactly one scope.
    """
    secret = new_secret()
    new = _IDS.at(to_micros(now))
    row = (new, digest_of(secret), label, role.value, org, household, ticket, technician, areas, now, expires)
    conn.execute(_INSERT_ACCESS, row)
    return secret


def create_owner_link(
    conn: Connection,
    *,
    now: datetime,
    ticket: UUID | None = None,
    household: UUID | None = None,
    expires: datetime | None = None,
) -> str:
    """Enter a link for one ticket or one household and return the token of `/o/{token}`. Times are fleet times."""
    return create_token(
        conn, Role.OWNER, now=now, label="owner link", ticket=ticket, household=household, expires=expires
    )


def find_token(conn: Connection, secret: str) -> TokenRow | None:
    """The token of a secret, valid or not, or None."""
    with conn.cursor(row_factory=class_row(TokenRow)) as cursor:
        return cursor.execute(_FIND_ACCESS, (digest_of(secret),)).fetchone()


def list_tokens(conn: Connection) -> list[TokenRow]:
    """All tokens but owners' links, oldest first."""
    with conn.cursor(row_factory=class_row(TokenRow)) as cursor:
        return cursor.execute(_LIST_ACCESS).fetchall()


def revoke_token(conn: Connection, token: UUID, *, now: datetime) -> bool:
    """End a token. Returns whether it was in use."""
    return conn.execute(_REVOKE_ACCESS, (now, token)).rowcount == 1


def links_of_case(conn: Connection, ticket: UUID) -> list[TokenRow]:
    """The links that open a single case, oldest first; those of its household are not among them."""
    with conn.cursor(row_factory=class_row(TokenRow)) as cursor:
        return cursor.execute(_LINKS_OF_CASE, (ticket,)).fetchall()


def end_case_links(conn: Connection, ticket: UUID, *, now: datetime) -> int:
    """End all links of a single case, at a fleet time. Returns how many were in use."""
    return conn.execute(_END_CASE_LINKS, (now, ticket)).rowcount


def create_staff(
    conn: Connection,
    login: str,
    *,
    now: datetime,
    name: str | None = None,
    role: Role = Role.DISPATCHER,
    lang: str = "en",
    password: str | None = None,
    org: str | None = None,
    areas: list[str] | None = None,
    technician: UUID | None = None,
) -> str:
    """Enter a person, or give a known login a new password. Returns the password, generated unless given."""
    chosen = password if password is not None else secrets.token_urlsafe(12)
    known = (_IDS.at(to_micros(now)), login, name or login.capitalize(), role.value, lang, _HASHER.hash(chosen))
    conn.execute(_UPSERT_STAFF, (*known, org, areas, technician, now))
    return chosen


def check_password(conn: Connection, login: str, password: str) -> StaffRow | None:
    """The person whose login and password these are, or None; both answers take about the same time."""
    row = conn.execute(_CREDENTIAL, (login,)).fetchone()
    try:
        _HASHER.verify(str(row[0]) if row else _DECOY, password)
    except (VerificationError, InvalidHashError):
        return None
    if row is None:
        return None
    with conn.cursor(row_factory=class_row(StaffRow)) as cursor:
        return cursor.execute(_STAFF_BY_LOGIN, (login,)).fetchone()


def find_staff_by_subject(conn: Connection, subject: str) -> StaffRow | None:
    """The person who signs in elsewhere as this, `issuer#subject`, or None."""
    with conn.cursor(row_factory=class_row(StaffRow)) as cursor:
        return cursor.execute(_STAFF_BY_SUBJECT, (subject,)).fetchone()


def link_subject(conn: Connection, login: str, subject: str | None) -> bool:
    """Say who a person is elsewhere, or that they are nobody there any more. Returns whether there is such a login.

    Raises:
        psycopg.errors.UniqueViolation: somebody else is that already.
    """
    return conn.execute(_LINK_SUBJECT, (subject, login)).rowcount == 1


def open_session(conn: Connection, staff: UUID, *, now: datetime) -> str:
    """Open a session of one shift and return the cookie's secret; ended sessions are removed on the way."""
    conn.execute(_PURGE_SESSIONS, (now,))
    secret = new_secret()
    conn.execute(_INSERT_SESSION, (digest_of(secret), staff, now, now + timedelta(hours=SESSION_HOURS)))
    return secret


def find_session(conn: Connection, secret: str, *, now: datetime) -> StaffRow | None:
    """The person of a session that has not ended, or None."""
    with conn.cursor(row_factory=class_row(StaffRow)) as cursor:
        return cursor.execute(_STAFF_BY_SESSION, (digest_of(secret), now)).fetchone()


def close_session(conn: Connection, secret: str) -> None:
    """End a session."""
    conn.execute(_DELETE_SESSION, (digest_of(secret),))
