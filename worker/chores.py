"""What the desk's jobs do, by name: each within a transaction that somebody else opens, each harmless when repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from servicedesk.errors import UnknownError
from servicedesk.notices import DELIVER
from servicedesk.office import Office
from servicedesk.opening import PLAN, RECUR, REVISE, VERIFY, recur, revise
from servicedesk.planning import plan
from servicedesk.proving import fall_due, verify
from telemetry.finding import Finding
from worker.notify import Channel, deliver

FALL_DUE = "fall_due"


def carry_out(office: Office, task: str, arguments: Mapping[str, Any], channel: Channel, now: datetime) -> None:
    """Do one job.

    Args:
        office: on the job's transaction.
        task: its name.
        arguments: as it was deferred with.
        channel: carries notices.
        now: fleet time.

    Raises:
        UnknownError: no job is called so.
        LookupError: the finding it speaks of is gone.
        OSError: a notice cannot be handed over for now.
    """
    if task not in _CHORES:
        raise UnknownError(f"no job is called {task!r}; there are {', '.join(_CHORES)}")
    _CHORES[task](office, arguments, channel, now)


def _plan(office: Office, arguments: Mapping[str, Any], _channel: Channel, now: datetime) -> None:
    plan(office, UUID(arguments["ticket"]), now)


def _deliver(office: Office, arguments: Mapping[str, Any], channel: Channel, now: datetime) -> None:
    deliver(office, UUID(arguments["notice"]), channel, now)


def _verify(office: Office, arguments: Mapping[str, Any], _channel: Channel, now: datetime) -> None:
    found, device = _found(office, arguments["finding"], arguments["revision"])
    verify(office, found, device, now)


def _recur(office: Office, arguments: Mapping[str, Any], _channel: Channel, now: datetime) -> None:
    found, device = _found(office, arguments["finding"])
    recur(office, found, device, now)


def _revise(office: Office, arguments: Mapping[str, Any], _channel: Channel, now: datetime) -> None:
    revise(office, _found(office, arguments["finding"])[0], now)


def _fall_due(office: Office, arguments: Mapping[str, Any], _channel: Channel, now: datetime) -> None:
    # Marked first: a thing that was taken back meanwhile is not done.
    if office.desk.agenda.done(arguments["due"], now):
        fall_due(office, arguments["kind"], UUID(arguments["ref"]), now)


_CHORES: dict[str, Callable[[Office, Mapping[str, Any], Channel, datetime], None]] = {
    PLAN: _plan,
    DELIVER: _deliver,
    VERIFY: _verify,
    RECUR: _recur,
    REVISE: _revise,
    FALL_DUE: _fall_due,
}


def _found(office: Office, finding: str, revision: int | None = None) -> tuple[Finding, int]:
    agenda = office.desk.agenda
    found = agenda.finding(UUID(finding), revision)
    if found is None:
        raise LookupError(f"finding {finding} is gone")
    return found, agenda.device_of(found.device)
