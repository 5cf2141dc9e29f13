"""The audit log: who looked at personal data and who went past a rule; searched, exported, and its chain examined."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.auth import AuditPerson
from api.context import InContext, InTx
from api.i18n import Words
from api.pages.csv_file import csv_file
from api.pages.roster import local_moment
from api.pages.shell import staff_page, staff_words
from api.pages.wall import desk_zone
from api.problems import problem
from servicedesk.audit import EXPORT, examine, record
from storage.access import StaffRow
from storage.read_audit import AuditFilter, AuditView, audit_tail, search_audit
from storage.read_people import staff_names
from telemetry.table_text import cell

router = APIRouter(include_in_schema=False)
_PAGE = 100
_MOST_ROWS = 50_000
_CHAIN = 20_000
"""So many rows at the log's end are examined at every look."""
_ACTIONS = ("read", "export", "consent", "erase", "override")
Sought = Annotated[str, Query(max_length=100)]
Day = Annotated[str, Query(max_length=10)]


@router.get("/audit")
def audit(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: AuditPerson,
    tx: InTx,
    context: InContext,
    actor: Sought = "",
    action: Sought = "",
    household: Sought = "",
    since: Day = "",
    until: Day = "",
    before: int | None = None,
) -> Response:
    """Rows, newest first."""
    _whole_desk(person)
    words = staff_words(request, person, desk_zone(tx, person))
    wanted = _filter(words, actor, action, household, since, until)
    rows = search_audit(tx.conn, wanted, before=before, limit=_PAGE + 1)
    ahead, tail = audit_tail(tx.conn, _CHAIN)
    asked = {"actor": actor, "action": action, "household": household, "since": since, "until": until}
    kept = {name: value for name, value in asked.items() if value}
    names = staff_names(tx.conn)
    return staff_page(
        request,
        context,
        person,
        "audit.html",
        words,
        rows=[(row, _who(words, row.actor, names), action_name(words, row.action), _more(row)) for row in rows[:_PAGE]],
        asked=asked,
        actions=[(name, action_name(words, name)) for name in _ACTIONS],
        chain=examine(tail, after=ahead),
        looked=len(tail),
        whole=ahead is None,
        on="?" + urlencode(kept | {"before": rows[_PAGE - 1].seq}) if len(rows) > _PAGE else None,
        back="?" + urlencode(kept) if before is not None else None,
        file="/audit.csv?" + urlencode(kept),
    )


@router.get("/audit.csv")
def audit_csv(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: AuditPerson,
    tx: InTx,
    actor: Sought = "",
    action: Sought = "",
    household: Sought = "",
    since: Day = "",
    until: Day = "",
) -> Response:
    """The same rows as a file; that it was taken stands in the log."""
    _whole_desk(person)
    words = staff_words(request, person, desk_zone(tx, person))
    wanted = _filter(words, actor, action, household, since, until)
    rows = search_audit(tx.conn, wanted, before=None, limit=_MOST_ROWS)
    record(tx.office.desk, EXPORT, tx.now, f"staff:{person.login}", "audit log", rows=len(rows))
    lines = []
    for row in rows:
        body = json.dumps(row.body, ensure_ascii=False, sort_keys=True, default=str)
        lines.append(
            [cell(one) for one in (row.seq, row.at, row.actor, row.action, row.what, row.household, body, row.hash)]
        )
    return csv_file("audit.csv", ("seq", "at", "actor", "action", "what", "household", "body", "hash"), lines)


def action_name(t: Words, action: str) -> str:
    """What was done."""
    return {
        "read": t.plain("Read"),
        "export": t.plain("Took a copy"),
        "consent": t.plain("Changed a consent"),
        "erase": t.plain("Erased"),
        "override": t.plain("Went past a rule"),
    }.get(action, action.replace("_", " "))


def _whole_desk(person: StaffRow) -> None:
    """Pass who sees the whole desk: the log is not one organisation's.

    Raises:
        ProblemError: 403.
    """
    if person.org is not None or person.areas is not None:
        raise problem("forbidden", "the audit log is the whole desk's; this person's reach is narrower")


def _filter(  # noqa: PLR0917  (all of them are the filter)
    t: Words, actor: str, action: str, household: str, since: str, until: str
) -> AuditFilter:
    last = _midnight(t, until)
    return AuditFilter(
        actor=actor.strip() or None,
        action=action if action in _ACTIONS else None,
        household=household.strip() or None,
        since=_midnight(t, since),
        until=None if last is None else last + timedelta(days=1),
    )


def _midnight(t: Words, day: str) -> datetime | None:
    return local_moment(t, f"{day}T00:00") if day else None


def _who(t: Words, actor: str, names: dict[str, str]) -> tuple[str, str]:
    """A name where there is one, and the actor as it is written."""
    kind, _, ident = actor.partition(":")
    known = {"owner": t.plain("Owner"), "system": t.plain("System"), "dispatch": t.plain("Dispatch")}
    return names.get(ident) or known.get(kind, kind.replace("_", " ")), actor


def _more(row: AuditView) -> str:
    """What else the row says, short."""
    body: dict[str, Any] = row.body or {}
    return " · ".join(f"{name}: {value}" for name, value in body.items() if value not in (None, "", [], {}))
