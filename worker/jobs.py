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

from servicedesk.notices import DELIVER
from servicedesk.office import Office
from servicedesk.opening import PLAN, RECUR, REVISE, VERIFY, recur, revise
from servicedesk.planning import plan
from servicedesk.proving import fall_due, verify
from storage.desk import PgDesk
from storage.jobs import QUEUE
from storage.pool import Pool
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
    def transaction(self) -> Iterator[tuple[Office, datetime]]:
        """An office on a transaction of its own, and the fleet time at which it began."""
        now = self.fleet_now()
        with said(), self.pool.connection() as conn:
            desk = PgDesk(conn, self.public_url)
            yield (
                Office(
                    desk,
                    self.catalogue,
                    maker(lambda: now, self.rng),
                    channel="mailbox" if self.channel.final else "mail",
                ),
                to_datetime(now),
            )


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
        with bureau.transaction() as (office, now):
            plan(office, UUID(ticket), now)

    @app.task(name=DELIVER, queue=QUEUE, retry=patient)
    def deliver_notice(*, notice: str) -> None:
        with bureau.transaction() as (office, now):
            deliver(office, UUID(notice), bureau.channel, now)

    @app.task(name=VERIFY, queue=QUEUE, retry=patient)
    def take_verdict(*, finding: str, revision: int) -> None:
        with bureau.transaction() as (office, now):
            found, device = _found(office, finding, revision)
            verify(office, found, device, now)

    @app.task(name=RECUR, queue=QUEUE, retry=patient)
    def take_up_again(*, finding: str) -> None:
        with bureau.transaction() as (office, now):
            found, device = _found(office, finding)
            recur(office, found, device, now)

    @app.task(name=REVISE, queue=QUEUE, retry=patient)
    def take_severity(*, finding: str) -> None:
        with bureau.transaction() as (office, now):
            revise(office, _found(office, finding)[0], now)

    @app.task(name=FALL_DUE, queue=QUEUE, retry=patient)
    def do_due(*, due: int, kind: str, ref: str) -> None:
        with bureau.transaction() as (office, now):
            # Marked first: a thing that was taken back meanwhile is not done.
            if office.desk.agenda.done(due, now):
                fall_due(office, kind, UUID(ref), now)


def _found(office: Office, finding: str, revision: int | None = None) -> tuple[Finding, int]:
    agenda = office.desk.agenda
    found = agenda.finding(UUID(finding), revision)
    if found is None:
        raise LookupError(f"finding {finding} is gone")
    return found, agenda.device_of(found.device)
