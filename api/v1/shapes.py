"""Rows as the JSON of `/v1`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from api.moves import ticket_moves, visit_moves
from api.problems import invalid
from api.said import said
from api.v1.models import (
    DeviceOut,
    EventOut,
    FindingOut,
    NoticeOut,
    TicketDetailOut,
    TicketOut,
    VisitOut,
    WindowOut,
)
from servicedesk.states import TicketState, VisitState
from storage.read_desk import EventView, NoticeView, TicketView, VisitView
from storage.read_devices import DeviceView, FindingView

_OFFSET_ZERO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)\+00:00")


_NO_WORDS = frozenset(
    {"old", "new", "state", "code", "stage", "visit", "finding", "severity", "policy", "due", "episode"}
)
"""Members of a timeline's line that are names and times of ours, never somebody's words."""


def _said(body: Mapping[str, Any], *, words: bool) -> dict[str, Any]:
    """A timeline's words with times as everywhere else: UTC with `Z`."""
    return {
        name: _OFFSET_ZERO.sub(r"\1Z", value) if isinstance(value, str) and _OFFSET_ZERO.fullmatch(value) else value
        for name, value in body.items()
        if words or name in _NO_WORDS
    }


def states(asked: str | None, allowed: type[TicketState | VisitState]) -> list[str] | None:
    """The states of a comma-separated filter.

    Raises:
        ProblemError: 422, one is not a state.
    """
    if not asked:
        return None
    names = [name.strip() for name in asked.split(",")]
    unknown = [name for name in names if name not in set(allowed)]
    if unknown:
        raise invalid(said("'{name}' is not a state", name=unknown[0]), allowed=[str(s) for s in allowed])
    return names


def device_out(row: DeviceView) -> DeviceOut:
    """A device."""
    return DeviceOut(
        id=f"{row.org}/{row.device}",
        org=row.org,
        device=row.device,
        kind=row.kind,
        model=row.model,
        serial=row.serial,
        room=row.room,
        household=row.household,
        installed=row.installed,
        warranty_until=row.warranty_until,
        registered=row.registered,
        lot=row.lot,
        firmware=row.firmware,
        firmware_since=row.firmware_since,
        health=row.health,
        health_since=row.health_since,
        last_reading=row.last_t,
    )


def finding_out(row: FindingView) -> FindingOut:
    """A finding."""
    life = None if row.life_low is None or row.life_high is None else (row.life_low, row.life_high)
    return FindingOut(
        id=row.id,
        device=f"{row.org}/{row.device}",
        family=row.family,
        state=row.state,
        severity=row.severity,
        opened=row.opened,
        onset=row.onset,
        onset_low=row.onset_low,
        onset_high=row.onset_high,
        observed=row.observed,
        score=row.score,
        revision=row.revision,
        history=row.history,
        life=life,
        detector=row.detector,
        version=row.version,
        suggested=row.suggested,
        correlation=row.correlation,
        finding=row.body,
    )


def visit_out(row: VisitView) -> VisitOut:
    """A visit."""
    return VisitOut(
        id=row.id,
        ticket=row.ticket,
        ref=row.ref,
        device=f"{row.org}/{row.device}",
        household=row.household,
        family=row.family,
        fault=row.fault,
        technician=row.technician_name,
        technician_id=row.technician,
        skill=row.skill,
        parts=row.parts,
        window=WindowOut(start=row.start, end=row.end),
        state=row.state,
        reason=row.reason,
        hold_until=row.hold_until,
        readable=row.readable,
        legal=visit_moves(row.state),
        outcome=row.outcome,
        cause=row.cause,
        locked=row.locked is not None,
    )


def ticket_out(row: TicketView) -> TicketOut:
    """A ticket."""
    return TicketOut(
        id=row.id,
        ref=row.ref,
        device=f"{row.org}/{row.device}",
        kind=row.kind,
        lot=row.lot,
        firmware=row.firmware,
        household=row.household,
        family=row.family,
        fault=row.fault,
        finding_id=row.finding,
        severity=row.severity,
        safety=row.safety,
        state=row.state,
        reason=row.reason,
        responsible=row.responsible,
        next_action=row.next_action,
        next_due=row.next_due,
        blocking=row.blocking,
        opened=row.opened,
        planned=row.planned,
        done=row.done,
        verified=row.verified,
        closed=row.closed,
        legal=ticket_moves(row.state),
        visit=row.visit,
    )


def ticket_detail(
    row: TicketView,
    visits: Sequence[VisitView],
    events: Sequence[EventView],
    finding: FindingView | None,
    *,
    words: bool = True,
) -> TicketDetailOut:
    """A ticket with everything on it; without `words` what people wrote is left out of its timeline."""
    lines = [EventOut(at=e.at, kind=e.kind, actor=e.actor, body=_said(e.body, words=words)) for e in events]
    return TicketDetailOut(
        **ticket_out(row).model_dump(),
        visits=[visit_out(v) for v in visits],
        timeline=lines,
        finding=finding_out(finding) if finding else None,
    )


def notice_out(row: NoticeView) -> NoticeOut:
    """A notice."""
    return NoticeOut(
        id=row.id,
        ticket=row.ticket,
        household=row.household,
        stage=row.stage,
        lang=row.lang,
        channel=row.channel,
        subject=row.subject,
        body=row.body,
        link=row.link,
        state=row.state,
        queued=row.queued,
        sent=row.sent,
        delivered=row.delivered,
        opened=row.opened,
    )
