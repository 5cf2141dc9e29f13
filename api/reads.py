"""Each read of personal data by people of ours stands in the audit log."""

from __future__ import annotations

from uuid import UUID

from api.auth import Principal
from api.context import Tx
from servicedesk.audit import READ, record
from storage.access import Role, StaffRow

_THEMSELVES = (Role.OWNER, Role.PEOPLE)


def named(who: Principal) -> str:
    """Who it was: two tokens of one role are two people."""
    return who.actor() if who.role is Role.OWNER else f"{who.role}:{who.id}"


def note_read(tx: Tx, who: Principal | StaffRow, what: str, household: UUID | None = None) -> None:
    """Log that somebody looked; owners who look at their own are not logged.

    Args:
        tx: the look is logged with it.
        who: a token's or a session's.
        what: what was looked at.
        household: whose it is, where it is one household's.
    """
    if isinstance(who, Principal):
        if who.role in _THEMSELVES:
            return
        actor = named(who)
    else:
        actor = f"staff:{who.login}"
    record(tx.office.desk, READ, tx.now, actor, what, household=household)
