"""The desk's jobs as procrastinate tasks: each is one transaction, each may be repeated without harm."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job
from structlog.contextvars import bind_contextvars, bound_contextvars

from servicedesk.notices import DELIVER
from servicedesk.office import Office
from servicedesk.opening import PLAN, RECUR, REVISE, VERIFY, recur, revise
from servicedesk.planning import plan
from servicedesk.proving import fall_due, verify
from storage.correlation import of_finding, of_notice, of_thing, of_ticket
from storage.desk import PgDesk
from storage.jobs import QUEUE
from storage.pool import Connection, Pool
from telemetry.catalogue import Catalogue
from telemetry.clock import to_datetime
from telemetry.finding import Finding
from telemetry.ids import maker
from worker.notify import Channel, deliver

log = structlog.get_logger()

FALL_DUE = "fall_due"
_LONGEST = 60
_FRAMES = 6


class Patience(BaseRetryStrategy):
    """Repeats for ever, ever more slowly up to a minute: a job is never given up."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:  # noqa: ARG002  (the library's signature)
        """Wait 1, 2, 4 … 60 wall seconds."""
        return RetryDecision(retry_in={"seconds": min(_LONGEST, 2 ** min(job.attempts, 6))})


Origin = Callable[[Connection, UUID], str | None]
"""Finds the message that a thing goes back to."""


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
    correlation: str | None


@dataclass(frozen=True, slots=True)
class Bureau:
    """What the jobs work with.

    Attributes:
        pool: connections; a job takes one for its transaction.
        catalogue: appliance kinds.
        fleet_now: fleet time, microseconds.
        channel: how notices are carried out.
        public_url: what owners' links begin with.
    """

    pool: Pool
    catalogue: Catalogue
    fleet_now: Callable[[], int]
    channel: Channel
    public_url: str
    rng: random.Random = field(default_factory=random.SystemRandom)

    @contextmanager
    def transaction(self, task: str, origin: Origin, about: UUID) -> Iterator[Work]:
        """An office on a transaction of its own; what is logged meanwhile names the task and its origin.

        Args:
            task: its name.
            origin: finds the message that a thing goes back to.
            about: the thing.
        """
        now = self.fleet_now()
        with bound_contextvars(task=task, correlation=None), said(), self.pool.connection() as conn:
            correlation = origin(conn, about)
            bind_contextvars(correlation=correlation)
            office = Office(
                PgDesk(conn, self.public_url),
                self.catalogue,
                maker(lambda: now, self.rng),
                channel="mailbox" if self.channel.final else "mail",
            )
            yield Work(office, to_datetime(now), correlation)
            (log.debug if task == FALL_DUE else log.info)("job", about=str(about))


@contextmanager
def said() -> Iterator[None]:
    """Name what made a job fail: it is repeated, and nobody else would say why."""
    try:
        yield
    except Exception as error:
        # Plain: a renderer that shows local variables would spend seconds on the catalogue.
        log.warning("a job failed and is repeated", error=repr(error), trace=traceback.format_exc(limit=-_FRAMES))
        raise


def register(app: App, bureau: Bureau) -> None:
    """Add the desk's tasks to an app."""
    patient = Patience()

    @app.task(name=PLAN, queue=QUEUE, retry=patient)
    def plan_visit(*, ticket: str) -> None:
        with bureau.transaction(PLAN, of_ticket, UUID(ticket)) as work:
            plan(work.office, UUID(ticket), work.now)

    @app.task(name=DELIVER, queue=QUEUE, retry=patient)
    def deliver_notice(*, notice: str) -> None:
        with bureau.transaction(DELIVER, of_notice, UUID(notice)) as work:
            deliver(work.office, UUID(notice), bureau.channel, work.now, work.correlation)

    @app.task(name=VERIFY, queue=QUEUE, retry=patient)
    def take_verdict(*, finding: str, revision: int) -> None:
        with bureau.transaction(VERIFY, of_finding, UUID(finding)) as work:
            found, device = _found(work.office, finding, revision)
            verify(work.office, found, device, work.now)

    @app.task(name=RECUR, queue=QUEUE, retry=patient)
    def take_up_again(*, finding: str) -> None:
        with bureau.transaction(RECUR, of_finding, UUID(finding)) as work:
            found, device = _found(work.office, finding)
            recur(work.office, found, device, work.now)

    @app.task(name=REVISE, queue=QUEUE, retry=patient)
    def take_severity(*, finding: str) -> None:
        with bureau.transaction(REVISE, of_finding, UUID(finding)) as work:
            revise(work.office, _found(work.office, finding)[0], work.now)

    @app.task(name=FALL_DUE, queue=QUEUE, retry=patient)
    def do_due(*, due: int, kind: str, ref: str) -> None:
        with bureau.transaction(FALL_DUE, of_thing, UUID(ref)) as work:
            # Marked first: a thing that was taken back meanwhile is not done.
            if work.office.desk.agenda.done(due, work.now):
                fall_due(work.office, kind, UUID(ref), work.now)


def _found(office: Office, finding: str, revision: int | None = None) -> tuple[Finding, int]:
    agenda = office.desk.agenda
    found = agenda.finding(UUID(finding), revision)
    if found is None:
        raise LookupError(f"finding {finding} is gone")
    return found, agenda.device_of(found.device)
