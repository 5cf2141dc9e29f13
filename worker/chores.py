"""What the desk's jobs do, by name: each on a transaction that somebody else opens, each harmless when repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from servicedesk.assigning import release_move
from servicedesk.calling import PAGE
from servicedesk.care_news import OFFER_JOB, SURVEY_JOB
from servicedesk.errors import UnknownError
from servicedesk.judging import LEARN, learn
from servicedesk.money_news import FOLLOW_JOB, QUOTE_JOB, RESTOCK_JOB
from servicedesk.moves import RELEASE
from servicedesk.notices import DELIVER
from servicedesk.office import PLAN, Office
from servicedesk.opening import RECUR, REVISE, VERIFY, recur, revise
from servicedesk.ordering import restock
from servicedesk.planning import plan
from servicedesk.privacy import ERASE_JOB, erase
from servicedesk.proving import fall_due, verify
from servicedesk.quoting import follow, offer_quote
from servicedesk.replanning import PLAN_ALL, Ask, draw_up
from servicedesk.selfcheck import offer_withdrawal
from servicedesk.survey import ask
from telemetry.finding import Finding
from worker.notify import Channel, deliver, tell_oncall

FALL_DUE = "fall_due"


@dataclass(frozen=True, slots=True)
class Work:
    """What a job has in hand.

    Attributes:
        office: the desk on the job's transaction.
        now: fleet time at which it began.
        correlation: the message that it goes back to, if any.
    """

    office: Office
    now: datetime
    correlation: str | None = None


def carry_out(work: Work, channel: Channel, task: str, arguments: Mapping[str, Any]) -> None:
    """Do one job.

    Args:
        work: what it has in hand.
        channel: carries notices.
        task: its name.
        arguments: as it was deferred with.

    Raises:
        UnknownError: no job is called so.
        LookupError: the finding it speaks of is gone.
        OSError: a notice cannot be handed over for now.
    """
    if task not in _CHORES:
        raise UnknownError(f"no job is called {task!r}; there are {', '.join(_CHORES)}")
    _CHORES[task](work, channel, arguments)


def _plan(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    plan(work.office, UUID(arguments["ticket"]), work.now)


def _deliver(work: Work, channel: Channel, arguments: Mapping[str, Any]) -> None:
    deliver(work.office, UUID(arguments["notice"]), channel, work.now, work.correlation)


def _page(work: Work, channel: Channel, arguments: Mapping[str, Any]) -> None:
    tell_oncall(work.office, UUID(arguments["page"]), channel, work.now)


def _verify(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    found, device = _found(work.office, arguments["finding"], arguments["revision"])
    verify(work.office, found, device, work.now)


def _recur(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    found, device = _found(work.office, arguments["finding"])
    recur(work.office, found, device, work.now)


def _revise(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    revise(work.office, _found(work.office, arguments["finding"])[0], work.now)


def _learn(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    learn(work.office, UUID(arguments["ticket"]), work.now)


def _fall_due(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    # Marked first: a thing that was taken back meanwhile is not done.
    if work.office.desk.agenda.done(arguments["due"], work.now):
        fall_due(work.office, arguments["kind"], UUID(arguments["ref"]), work.now)


def _quote(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    offer_quote(work.office, UUID(arguments["ticket"]), work.now)


def _follow_quote(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    follow(work.office, UUID(arguments["ticket"]), work.now)


def _restock(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    restock(work.office, UUID(arguments["ticket"]), work.now)


def _offer_withdrawal(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    offer_withdrawal(work.office, UUID(arguments["ticket"]), work.now)


def _ask(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    ask(work.office, UUID(arguments["ticket"]), work.now)


def _erase(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    erase(work.office, UUID(arguments["household"]), work.now)


def _plan_all(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    from servicedesk.routing.vroom_planner import VroomPlanner  # noqa: PLC0415  (heavy; this job's alone)

    ident = UUID(arguments["plan"])
    if work.office.desk.plans.known(ident):
        return
    ask = Ask(arguments["org"], work.now, arguments["days"], arguments["actor"])
    draw_up(work.office, VroomPlanner(), ask, work.now, ident=ident)


def _release(work: Work, _channel: Channel, arguments: Mapping[str, Any]) -> None:
    release_move(work.office, UUID(arguments["move"]), work.now)


_CHORES: dict[str, Callable[[Work, Channel, Mapping[str, Any]], None]] = {
    PLAN: _plan,
    DELIVER: _deliver,
    PAGE: _page,
    VERIFY: _verify,
    RECUR: _recur,
    REVISE: _revise,
    LEARN: _learn,
    FALL_DUE: _fall_due,
    QUOTE_JOB: _quote,
    FOLLOW_JOB: _follow_quote,
    RESTOCK_JOB: _restock,
    OFFER_JOB: _offer_withdrawal,
    SURVEY_JOB: _ask,
    ERASE_JOB: _erase,
    RELEASE: _release,
    PLAN_ALL: _plan_all,
}


def _found(office: Office, finding: str, revision: int | None = None) -> tuple[Finding, int]:
    agenda = office.desk.agenda
    found = agenda.finding(UUID(finding), revision)
    if found is None:
        raise LookupError(f"finding {finding} is gone")
    return found, agenda.device_of(found.device)
